#include "slo/response_time.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "base/statistics.h"
#include "slo/testing.h"

namespace concertina::slo {
namespace {

using testing::times_around;

/// What ResponseTime is a formula for: a server that answers requests that come at random in full batches.
/// Milliseconds from each request that opens a batch to its answer.
std::vector<double> simulate(const latency::TimeQuantiles& times, double slow_down, int batch,
                             double arrivals) {
  constexpr int kBatches = 100'000;
  const CounterRandom gaps(1, 0), runs(1, 1);
  std::vector<double> latencies;
  double now = 0, free = 0;
  std::uint64_t request = 0;
  for (int i = 0; i < kBatches; ++i) {
    double opened = 0;
    for (int k = 0; k < batch; ++k) {
      now += -std::log(1 - gaps.uniform(request++)) * 1e3 / arrivals;
      if (k == 0) opened = now;
    }
    free = std::max(free, now) + slow_down * times.at(runs.uniform(static_cast<std::uint64_t>(i)));
    latencies.push_back(free - opened);
  }
  return latencies;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

TEST(ResponseTime, IsTheRunAloneWithoutArrivals) {
  const latency::TimeQuantiles times = times_around(4);
  const ResponseTime response(times, 1.5, 8, 0);
  EXPECT_EQ(response.utilisation(), 0);
  for (const double level : {0.01, 0.5, 0.9, 0.97, 0.999})
    EXPECT_DOUBLE_EQ(response.quantile(level), 1.5 * times.at(level));
  double mean = 0;
  for (int i = 0; i < 10'000; ++i) mean += 1.5 * times.at((i + 0.5) / 10'000) / 10'000;
  EXPECT_NEAR(response.mean_run_ms(), mean, 1e-6);
}

/// Nearly what was simulated; rather too long than too short.
void expect_close(const ResponseTime& response, const std::vector<double>& simulated) {
  for (const double level : {0.5, 0.75, 0.9, 0.95, 0.99}) {
    const double expected = quantile(simulated, level);
    EXPECT_GT(response.quantile(level), 0.89 * expected) << level;
    EXPECT_LT(response.quantile(level), 1.25 * expected) << level;
  }
}

TEST(ResponseTime, IsAboutWhatASimulatedQueueTakes) {
  const latency::TimeQuantiles times = times_around(4);
  for (const double arrivals : {20.0, 80.0, 150.0}) {
    const ResponseTime response(times, 1.25, 1, arrivals);
    const std::vector<double> simulated = simulate(times, 1.25, 1, arrivals);
    EXPECT_NEAR(response.mean_run_ms() + response.mean_wait_ms(), mean_of(simulated),
                0.02 * mean_of(simulated));
    expect_close(response, simulated);
  }
}

TEST(ResponseTime, IsAboutWhatASimulatedQueueOfBatchesTakes) {
  const latency::TimeQuantiles times = times_around(10);
  for (const int batch : {2, 4, 16}) {
    for (const double per_run : {0.1, 0.4, 0.8}) {
      const double arrivals = 100 * batch * per_run;
      expect_close(ResponseTime(times, 1, batch, arrivals), simulate(times, 1, batch, arrivals));
    }
  }
}

TEST(ResponseTime, GrowsWithArrivalsAndSlowDownUntilOverload) {
  const latency::TimeQuantiles times = times_around(5);
  double before = ResponseTime(times, 1, 1, 0).quantile(0.9);
  for (const double arrivals : {1.0, 50.0, 120.0, 180.0}) {
    const double now = ResponseTime(times, 1, 1, arrivals).quantile(0.9);
    EXPECT_GT(now, before) << arrivals;
    EXPECT_GT(ResponseTime(times, 1.05, 1, arrivals).quantile(0.9), now) << arrivals;
    before = now;
  }
  EXPECT_TRUE(std::isinf(ResponseTime(times, 1, 1, 210).quantile(0.5)));
  EXPECT_GT(ResponseTime(times, 1, 1, 210).utilisation(), 1);
}

TEST(ResponseTime, BearsTimesThatNeverVary) {
  const latency::TimeQuantiles times({3, 3, 3, 3, 3, 3, 3, 3});
  const ResponseTime response(times, 1, 1, 1e3 / 6);
  EXPECT_DOUBLE_EQ(response.utilisation(), 0.5);
  EXPECT_DOUBLE_EQ(response.mean_wait_ms(), 1.5);  // M/D/1: rho / (1 - rho) / 2 * E S
  EXPECT_NEAR(response.quantile(0.5), 3, 1e-9);    // half of the requests find the server free
  EXPECT_NEAR(response.quantile(0.9), 3 + 3 * std::log(5), 1e-9);
}

}  // namespace
}  // namespace concertina::slo
