#include "quantization/divergence.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace concertina::quantization {
namespace {

using Values = std::vector<float>;

TEST(Divergence, IsThatOfTheDistributions) {
  const Values even = {0.5F, 0.5F}, skewed = {0.25F, 0.75F};
  const double wanted = 0.5 * std::log(0.5 / 0.25) + 0.5 * std::log(0.5 / 0.75);
  EXPECT_NEAR(divergence(even, skewed, true), wanted, 1e-6);
  const Values even_scores = {1000, 1000}, skewed_scores = {-7, -7 + std::log(3.0F)};
  EXPECT_NEAR(divergence(even_scores, skewed_scores, false), wanted, 1e-6);
}

TEST(Divergence, OfTheSameIsNone) {
  const Values scores = {3, -100, 2.5F};
  EXPECT_EQ(divergence(scores, scores, false), 0);
  EXPECT_EQ(divergence(scores, Values{4, -99, 3.5F}, false), 0) << "a softmax does not see a shift";
}

TEST(Divergence, IsFiniteWhereAClassIsRuledOut) {
  EXPECT_TRUE(std::isfinite(divergence(Values{0.5F, 0.5F}, Values{1, 0}, true)));
  EXPECT_TRUE(std::isfinite(divergence(Values{1, 0}, Values{0, 1}, true)));
}

TEST(Divergence, OfOtherOutputsIsRelative) {
  EXPECT_DOUBLE_EQ(relative_square(Values{3, 4}, Values{3, 3}), 1.0 / 25);
  EXPECT_EQ(relative_square(Values{0, 0}, Values{0, 0}), 0);
  EXPECT_TRUE(std::isfinite(relative_square(Values{0, 0}, Values{0, 1})));
}

}  // namespace
}  // namespace concertina::quantization
