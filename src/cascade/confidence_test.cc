#include "cascade/confidence.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"

namespace concertina::cascade {
namespace {

using enum ConfidenceMeasure;

/// The definitions, spelled out.
double reference(const std::vector<float>& scores, ConfidenceMeasure measure) {
  std::vector<double> p;
  double sum = 0, bits = 0;
  for (const float score : scores) sum += std::exp(double{score});
  for (const float score : scores) p.push_back(std::exp(double{score}) / sum);
  std::sort(p.rbegin(), p.rend());
  for (const double one : p) bits -= one * std::log(one);
  switch (measure) {
    case probability:
      return p[0];
    case margin:
      return p[0] - p[1];
    case entropy:
      break;
  }
  return 1 - bits / std::log(static_cast<double>(p.size()));
}

TEST(Confidence, IsWhatItsDefinitionSays) {
  const CounterRandom random(1);
  for (std::uint64_t i = 0; i < 100; ++i) {
    std::vector<float> scores;
    for (std::uint64_t j = 0; j < 2 + i % 9; ++j) {
      scores.push_back(static_cast<float>(12 * random.uniform(16 * i + j) - 6));
    }
    for (const auto measure : {probability, margin, entropy}) {
      const Judgement verdict = judge(scores, measure);
      EXPECT_EQ(verdict.label, std::max_element(scores.begin(), scores.end()) - scores.begin());
      EXPECT_NEAR(verdict.confidence, reference(scores, measure), 1e-12) << name_of(measure);
    }
  }
}

TEST(Confidence, OfProbabilitiesIsWhatTheySay) {
  std::vector<float> values = {0.2F, 0.7F, 0, 0.1F};
  to_scores(values);
  const Judgement verdict = judge(values, probability);
  EXPECT_EQ(verdict.label, 1);
  EXPECT_NEAR(verdict.confidence, 0.7, 1e-6);
  EXPECT_NEAR(judge(values, margin).confidence, 0.5, 1e-6);
}

TEST(Confidence, OfExtremeScoresIsInRange) {
  for (const auto measure : {probability, margin, entropy}) {
    EXPECT_EQ(judge(std::vector<float>{1e30F, -1e30F}, measure).confidence, 1) << name_of(measure);
    const Judgement even = judge(std::vector<float>{3, 3, 3, 3}, measure);
    EXPECT_EQ(even.label, 0);
    EXPECT_NEAR(even.confidence, measure == probability ? 0.25 : 0, 1e-12) << name_of(measure);
  }
}

}  // namespace
}  // namespace concertina::cascade
