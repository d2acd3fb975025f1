#include "graph/quantization.h"

#include <algorithm>

namespace concertina {

Quantization quantization_of(const Interval& range) {
  // What is above minus half a step is as good as 0.
  const bool is_signed = range.low < 0 && -range.low >= range.high / 510;
  const float scale = is_signed ? std::max(-range.low / 128, range.high / 127) : range.high / 255;
  if (range == Interval{}) return {.scale = 1, .zero_point = 0};
  return {.scale = std::clamp(scale, kLeastScale, kMostScale), .zero_point = is_signed ? 128 : 0};
}

}  // namespace concertina
