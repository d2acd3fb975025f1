#include "quantization/rounding.h"

#include <gtest/gtest.h>

#include <cmath>

#include "quantization/range.h"
#include "quantization/testing.h"

namespace concertina::quantization {
namespace {

/// The same of each value.
Rounding by_value(const std::vector<float>& values, const Quantization& how) {
  double clipped = 0, signal = 0, noise = 0;
  for (const float value : values) {
    const double level = std::nearbyint(value / how.scale) + how.zero_point;
    const double held = std::clamp(level, 0.0, 255.0);
    const double error = (held - how.zero_point) * how.scale - value;
    clipped += held != level ? 1 : 0;
    signal += static_cast<double>(value) * value;
    noise += error * error;
  }
  return {clipped / static_cast<double>(values.size()), 10 * std::log10(signal / noise)};
}

TEST(Rounding, IsThatOfTheValues) {
  for (const std::vector<float>& values : {bell(50'000), half_bell(50'000)}) {
    for (const double top : {5.0, 3.0, 1.0}) {
      const float end = static_cast<float>(top);
      const Quantization how = quantization_of({values[0] < 0 ? -end : 0, end});
      const Rounding wanted = by_value(values, how), found = rounding_of(histogram_of(values), how);
      EXPECT_NEAR(found.clipped, wanted.clipped, 1e-3);
      EXPECT_NEAR(found.signal_to_noise, wanted.signal_to_noise, 0.5);
    }
  }
}

TEST(Rounding, GainsSixDecibelsWithEachBit) {
  const Histogram histogram = histogram_of(bell(50'000));
  const double fine = rounding_of(histogram, {0.05F, 128}).signal_to_noise;
  const double coarse = rounding_of(histogram, {0.1F, 128}).signal_to_noise;
  EXPECT_NEAR(fine - coarse, 6.02, 0.3);
}

TEST(Rounding, NothingIsLostOfWholeSteps) {
  EXPECT_EQ(rounding_of(histogram_of({7, 7}), {1, 0}).signal_to_noise, INFINITY);
  EXPECT_EQ(rounding_of(histogram_of({0}), {1, 0}).signal_to_noise, INFINITY);
  EXPECT_EQ(rounding_of(histogram_of({300}), {1, 0}).clipped, 1);
}

}  // namespace
}  // namespace concertina::quantization
