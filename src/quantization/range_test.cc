#include "quantization/range.h"

#include <gtest/gtest.h>

#include <cmath>

#include "quantization/entropy.h"
#include "quantization/rounding.h"
#include "quantization/testing.h"

namespace concertina::quantization {
namespace {

constexpr RangeOptions kMinmax = {.method = Method::minmax};
constexpr RangeOptions kEntropy = {.method = Method::entropy};

RangeOptions percentile(double share) {
  return {.method = Method::percentile, .percentile = share};
}

double share_outside(const std::vector<float>& values, const Interval& range) {
  const auto outside =
      std::ranges::count_if(values, [&](float value) { return value < range.low || value > range.high; });
  return static_cast<double>(outside) / static_cast<double>(values.size());
}

TEST(Range, MinmaxKeepsAll) {
  EXPECT_EQ(choose_range(histogram_of({-3, 0, 5}), kMinmax), (Interval{-3, 5}));
  EXPECT_EQ(choose_range(histogram_of({2, 5}), kMinmax), (Interval{0, 5}));
  EXPECT_EQ(choose_range(histogram_of({-5, -2}), kMinmax), (Interval{-5, 0}));
}

TEST(Range, PercentileCutsTheSameCountAtBothEnds) {
  const std::vector<float> values = bell(100'000);
  const Interval range = choose_range(histogram_of(values), percentile(99));
  EXPECT_NEAR(share_outside(values, {range.low, INFINITY}), 0.005, 0.0005);
  EXPECT_NEAR(share_outside(values, {-INFINITY, range.high}), 0.005, 0.0005);
  EXPECT_NEAR(range.high, 2.576, 0.05);  // of a normal distribution
  EXPECT_EQ(choose_range(histogram_of(values), percentile(100)), choose_range(histogram_of(values), kMinmax));
}

TEST(Range, PercentileCutsOnlyTheGreatestOfWhatHasOneSign) {
  const std::vector<float> values = half_bell(100'000);
  const Interval range = choose_range(histogram_of(values), percentile(99));
  EXPECT_EQ(range.low, 0);
  EXPECT_NEAR(share_outside(values, range), 0.01, 0.001);
  std::vector<float> negative = values;
  for (float& value : negative) value = -value;
  EXPECT_NEAR(choose_range(histogram_of(negative), percentile(99)).low, -range.high, 0.01);
  EXPECT_EQ(choose_range(histogram_of(negative), percentile(99)).high, 0);
}

TEST(Range, EntropyClipsARareOutlierAndKeepsAPlainDistribution) {
  std::vector<float> values = half_bell(100'000);
  const float top = *std::ranges::max_element(values);
  values.push_back(8 * top);
  const float threshold = entropy_threshold(histogram_of(values));
  EXPECT_LT(threshold, 1.5F * top);
  EXPECT_GT(threshold, 0.4F * top);
  const Rounding with = rounding_of(histogram_of(values), quantization_of({0, threshold}));
  const Rounding without = rounding_of(histogram_of(values), quantization_of({0, 8 * top}));
  EXPECT_GT(with.clipped, 0);
  EXPECT_EQ(without.clipped, 0);

  std::vector<float> uniform;
  for (int i = 0; i < 100'000; ++i) uniform.push_back(static_cast<float>(i));
  EXPECT_GT(entropy_threshold(histogram_of(uniform)), 99'000.0F);
}

TEST(Range, EntropyTakesBothSignsAlike) {
  const std::vector<float> values = bell(100'000);
  std::vector<float> mirrored = values;
  for (float& value : mirrored) value = -value;
  const Interval range = choose_range(histogram_of(values), kEntropy);
  const Interval other = choose_range(histogram_of(mirrored), kEntropy);
  EXPECT_NEAR(range.low, -other.high, 0.02);
  EXPECT_NEAR(range.high, -other.low, 0.02);
  EXPECT_GT(range.high, 2);
}

TEST(Range, EveryMethodTakesWhatIsOdd) {
  const float most = std::numeric_limits<float>::max(), least = std::numeric_limits<float>::denorm_min();
  for (const std::vector<float>& values : {std::vector<float>{0},
                                           {3},
                                           {-3},
                                           {1000, 1000.001F},
                                           {0, least},
                                           {-least, 0},
                                           {-most, most},
                                           {0, most}}) {
    for (const RangeOptions& options : {kMinmax, percentile(99), kEntropy}) {
      const Histogram histogram = histogram_of(values);
      const Interval range = choose_range(histogram, options);
      EXPECT_LE(range.low, 0);
      EXPECT_GE(range.high, 0);
      const Quantization how = quantization_of(range);
      EXPECT_GE(how.scale, kLeastScale) << values[0];
      EXPECT_LE(how.scale, kMostScale) << values[0];
      EXPECT_EQ(how.zero_point, range.low < 0 ? 128 : 0);
      EXPECT_FALSE(std::isnan(rounding_of(histogram, how).signal_to_noise));
    }
  }
}

}  // namespace
}  // namespace concertina::quantization
