#include "simulation/arrivals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "simulation/trace.h"
#include "testing/temporary_folder.h"

namespace concertina::simulation {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr double kRate = 250;  // a second

std::vector<Time> make(const ArrivalProcess& process, int count, std::uint64_t seed = 1) {
  return *make_arrivals(process, count, kRate, seed);
}

struct Moments {
  double mean = 0, variance = 0;
};

Moments moments_of(const std::vector<double>& values) {
  Moments moments;
  const auto n = static_cast<double>(values.size());
  for (const double value : values) moments.mean += value / n;
  for (const double value : values) moments.variance += (value - moments.mean) * (value - moments.mean) / n;
  return moments;
}

Moments gaps_of(const std::vector<Time>& arrivals) {
  std::vector<double> gaps;
  for (std::size_t i = 1; i < arrivals.size(); ++i) gaps.push_back(to_seconds(arrivals[i] - arrivals[i - 1]));
  return moments_of(gaps);
}

double cv2_of(const std::vector<Time>& arrivals) {
  const Moments gaps = gaps_of(arrivals);
  return gaps.variance / (gaps.mean * gaps.mean);
}

/// Variance over mean of the numbers of arrivals in windows of this length: 1 for Poisson.
double index_of_dispersion(const std::vector<Time>& arrivals, double window_seconds) {
  std::vector<double> counts(static_cast<std::size_t>(to_seconds(arrivals.back()) / window_seconds));
  for (const Time at : arrivals) {
    const auto window = static_cast<std::size_t>(to_seconds(at) / window_seconds);
    if (window < counts.size()) ++counts[window];
  }
  const Moments moments = moments_of(counts);
  return moments.variance / moments.mean;
}

// Bounds are at four to five standard errors or wider.

TEST(Arrivals, OfPoissonHaveTheRateAndNoBursts) {
  const auto arrivals = make(PoissonArrivals(), 200'000);
  EXPECT_TRUE(std::is_sorted(arrivals.begin(), arrivals.end()));
  EXPECT_NEAR(mean_rate(arrivals), kRate, 0.01 * kRate);
  EXPECT_NEAR(cv2_of(arrivals), 1, 0.03);
  EXPECT_NEAR(index_of_dispersion(arrivals, 50 / kRate), 1, 0.12);
}

TEST(Arrivals, OfGammaHaveTheRateAndTheSpread) {
  for (const double cv2 : {0.25, 1.0, 8.0}) {
    const auto arrivals = make(GammaArrivals{cv2}, 400'000);
    EXPECT_TRUE(std::is_sorted(arrivals.begin(), arrivals.end()));
    EXPECT_NEAR(mean_rate(arrivals), kRate, 0.007 * std::sqrt(cv2) * kRate);
    EXPECT_NEAR(cv2_of(arrivals), cv2, 0.05 * cv2) << cv2;
    // Of a renewal process it goes to cv^2 (Cox 1962).
    EXPECT_NEAR(index_of_dispersion(arrivals, 400 / kRate), cv2, 0.25 * cv2) << cv2;
  }
}

TEST(Arrivals, InBurstsHaveTheRateAndTheDispersion) {
  const BurstArrivals bursts;
  const auto arrivals = make(bursts, 1'000'000);
  EXPECT_TRUE(std::is_sorted(arrivals.begin(), arrivals.end()));
  EXPECT_NEAR(mean_rate(arrivals), kRate, 0.04 * kRate);
  // In windows much longer than the states, with rates r1 and r2 and leaving rates s1 and s2 of the states:
  // 1 + 2 (r1 - r2)^2 s1 s2 / ((s1 + s2)^2 (r1 s2 + r2 s1)) (Fischer and Meier-Hellstern 1993).
  const double r1 = bursts.burst, r2 = (1 - bursts.burst * bursts.share) / (1 - bursts.share);
  const double s1 = 1 / bursts.length, s2 = bursts.share / (bursts.length * (1 - bursts.share));
  const double long_run =
      1 + 2 * (r1 - r2) * (r1 - r2) * s1 * s2 / ((s1 + s2) * (s1 + s2) * (r1 * s2 + r2 * s1));
  EXPECT_NEAR(long_run, 33, 1e-9);
  EXPECT_NEAR(index_of_dispersion(arrivals, 2000 / kRate), long_run, 0.3 * long_run);
}

TEST(Arrivals, MayAllComeInBursts) {
  const auto arrivals = make(BurstArrivals{5, 0.2, 20}, 100'000);
  EXPECT_NEAR(mean_rate(arrivals), kRate, 0.15 * kRate);
}

/// Arrivals in each quarter of the time in which all are expected.
std::array<int, 4> quarters(const std::vector<Time>& arrivals, double expected_seconds) {
  std::array<int, 4> counts{};
  for (const Time at : arrivals) {
    const auto quarter = static_cast<std::size_t>(4 * to_seconds(at) / expected_seconds);
    if (quarter < 4) ++counts[quarter];
  }
  return counts;
}

TEST(Arrivals, OfARampBecomeMore) {
  constexpr int kCount = 100'000;
  const auto counts = quarters(make(RampArrivals{0.5, 1.5}, kCount), kCount / kRate);
  // Mean rates of the quarters: 0.625, 0.875, 1.125, 1.375.
  for (std::size_t q = 0; q < 4; ++q)
    EXPECT_NEAR(counts[q], kCount / 4 * (0.625 + 0.25 * static_cast<double>(q)), 900) << q;
}

TEST(Arrivals, OfARampMayBecomeFewer) {
  constexpr int kCount = 100'000;
  const auto counts = quarters(make(RampArrivals{3, 1}, kCount), kCount / kRate / 2);
  for (std::size_t q = 0; q < 4; ++q)
    EXPECT_NEAR(counts[q], kCount / 8 * (2.75 - 0.5 * static_cast<double>(q)), 900) << q;
}

TEST(Arrivals, OfAStepJumpAtHalfTheTime) {
  constexpr int kCount = 100'000;
  const auto counts = quarters(make(StepArrivals{0.5, 1.5}, kCount), kCount / kRate);
  EXPECT_NEAR(counts[0], 0.5 * kCount / 4, 700);
  EXPECT_NEAR(counts[1], 0.5 * kCount / 4, 700);
  EXPECT_NEAR(counts[2], 1.5 * kCount / 4, 1000);
  EXPECT_NEAR(counts[3], 1.5 * kCount / 4, 1000);
}

TEST(Arrivals, DependOnTheSeedOnly) {
  for (const ArrivalProcess& process : {ArrivalProcess(PoissonArrivals()), ArrivalProcess(GammaArrivals()),
                                        ArrivalProcess(BurstArrivals()), ArrivalProcess(RampArrivals())}) {
    EXPECT_EQ(make(process, 100, 7), make(process, 100, 7));
    EXPECT_NE(make(process, 100, 7), make(process, 100, 8));
    const auto more = make(process, 1000, 7);
    EXPECT_EQ(more.size(), 1000u);
  }
}

TEST(Arrivals, OfATraceAreItsFirstScaledToTheRate) {
  const testing::TestFolder folder;
  const auto path = folder.write("arrivals.txt", "1\n2\n5\n50\n");
  using namespace std::chrono_literals;
  EXPECT_THAT(*make_arrivals(TraceArrivals{path}, 3, 0.5, 1), ElementsAre(0s, 1s, 4s));
  EXPECT_EQ(make_arrivals(TraceArrivals{path}, 100, 0.5, 1)->size(), 4u);
  EXPECT_THAT(make_arrivals(TraceArrivals{path}, 1, 0.5, 1).error().message, HasSubstr("arrivals.txt': all"));
  EXPECT_FALSE(make_arrivals(TraceArrivals{"/nowhere"}, 3, 0.5, 1));
}

TEST(Arrivals, RefuseNumbersThatCannotBe) {
  EXPECT_FALSE(make_arrivals(PoissonArrivals(), 0, 1, 1));
  EXPECT_FALSE(make_arrivals(PoissonArrivals(), kMaxRequests + 1, 1, 1));
  for (const double rate : {0.0, -1.0, std::nan(""), HUGE_VAL})
    EXPECT_THAT(make_arrivals(PoissonArrivals(), 9, rate, 1).error().message, HasSubstr("positive")) << rate;
  EXPECT_THAT(make_arrivals(PoissonArrivals(), 9, 1e-9, 1).error().message, HasSubstr("too long"));
}

template <typename Process>
Process parsed(std::string_view text) {
  return std::get<Process>(*parse_arrivals(text, "folder"));
}

TEST(ParseArrivals, KnowsEveryProcess) {
  EXPECT_NO_FATAL_FAILURE(parsed<PoissonArrivals>("poisson"));
  EXPECT_EQ(parsed<GammaArrivals>("gamma").cv2, 8);
  EXPECT_EQ(parsed<GammaArrivals>("gamma:3").cv2, 3);
  EXPECT_EQ(parsed<BurstArrivals>("bursts:2:0.5:9").length, 9);
  EXPECT_EQ(parsed<RampArrivals>("ramp:0.2:2").to, 2);
  EXPECT_EQ(parsed<StepArrivals>("step:0.2").from, 0.2);
  EXPECT_EQ(parsed<StepArrivals>("step:0.2").to, 1.5);
}

TEST(ParseArrivals, KnowsTracesAndFiles) {
  EXPECT_EQ(parsed<TraceArrivals>("azure_code").file, "folder/azure_code.txt");
  const testing::TestFolder folder;
  const auto path = folder.write("a:trace", "1\n2\n");
  EXPECT_EQ(parsed<TraceArrivals>(path.string()).file, path);
}

TEST(ParseArrivals, RefusesOthers) {
  EXPECT_THAT(parse_arrivals("poison", "").error().message, HasSubstr("did you mean 'poisson'?"));
  EXPECT_THAT(parse_arrivals("azure_cod", "").error().message, HasSubstr("did you mean 'azure_code'?"));
  EXPECT_THAT(parse_arrivals("bursts:6:0.2", "").error().message, HasSubstr("above 1"));
  EXPECT_THAT(parse_arrivals("gamma:0", "").error().message, HasSubstr("CV2"));
}

}  // namespace
}  // namespace concertina::simulation
