#include "quantization/rounding.h"

#include <algorithm>
#include <cmath>

namespace concertina::quantization {

Rounding rounding_of(const Histogram& histogram, const Quantization& how) {
  constexpr int kPoints = 8;  // of a bin, which may be wider than a step
  const double scale = how.scale, zero = how.zero_point;
  double clipped = 0, signal = 0, noise = 0;
  for (int i = 0; i < Histogram::kBins; ++i) {
    const auto count = static_cast<double>(histogram.counts()[static_cast<std::size_t>(i)]) / kPoints;
    if (count == 0) continue;
    for (int point = 0; point < kPoints; ++point) {
      const double value = histogram.edge(i) + histogram.width() * (point + 0.5) / kPoints;
      const double level = std::nearbyint(value / scale) + zero;
      const double held = std::clamp(level, 0.0, 255.0);
      const double error = (held - zero) * scale - value;
      if (held != level) clipped += count;
      signal += count * value * value;
      noise += count * error * error;
    }
  }
  return {.clipped = clipped / static_cast<double>(histogram.total()),
          .signal_to_noise = noise > 0 ? 10 * std::log10(signal / noise) : INFINITY};
}

}  // namespace concertina::quantization
