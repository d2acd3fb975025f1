#include "base/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace concertina {
namespace {

TEST(Spread, IsMeanAndSampleDeviation) {
  EXPECT_EQ(spread({}).count, 0);
  EXPECT_DOUBLE_EQ(spread({3}).mean, 3);
  EXPECT_DOUBLE_EQ(spread({3}).deviation, 0);
  EXPECT_DOUBLE_EQ(spread({1, 3}).mean, 2);
  EXPECT_DOUBLE_EQ(spread({1, 3}).deviation, std::sqrt(2.0));
}

TEST(Spread, HasAConfidenceInterval) {
  EXPECT_TRUE(std::isinf(half_width_95(spread({1.0}))));
  EXPECT_NEAR(half_width_95(spread({1.28, 0.12, 1.09})), 1.5457, 1e-3);
  EXPECT_NEAR(half_width_95({.mean = 0, .deviation = 1, .count = 11}), 2.228 / std::sqrt(11), 1e-4);
  EXPECT_NEAR(half_width_95({.mean = 0, .deviation = 1, .count = 12}), 2.201 / std::sqrt(12), 1e-3);
  EXPECT_NEAR(half_width_95({.mean = 0, .deviation = 1, .count = 100'000}) * std::sqrt(100'000), 1.96, 1e-3);
}

TEST(Spearman, ComparesOrdersOnly) {
  EXPECT_DOUBLE_EQ(spearman({1, 2, 3, 4}, {10, 20, 300, 4000}), 1);
  EXPECT_DOUBLE_EQ(spearman({1, 2, 3, 4}, {4, 3, 2, 1}), -1);
  EXPECT_DOUBLE_EQ(spearman({1, 2, 3, 4, 5}, {2, 1, 4, 3, 5}), 0.8);
}

TEST(Spearman, GivesTiesTheirMeanRank) {
  // Ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4.
  EXPECT_NEAR(spearman({1, 2, 2, 3}, {1, 2, 3, 4}), 4.5 / std::sqrt(4.5 * 5), 1e-12);
  EXPECT_EQ(spearman({1, 1, 1}, {1, 2, 3}), 0);  // no order at all
}

TEST(Quantile, IsTheValueAtTheNearestIndex) {
  const std::vector<double> values = {5, 1, 4, 2, 3};
  EXPECT_EQ(quantile(values, 0), 1);
  EXPECT_EQ(quantile(values, 0.5), 3);
  EXPECT_EQ(quantile(values, 0.6), 3);
  EXPECT_EQ(quantile(values, 0.7), 4);
  EXPECT_EQ(quantile(values, 0.99), 5);
  EXPECT_EQ(quantile(values, 1), 5);
  EXPECT_EQ(quantile({7}, 0.3), 7);
  EXPECT_EQ(quantile({2, 1}, 0.5), 2);
}

}  // namespace
}  // namespace concertina
