#pragma once

#include <functional>
#include <map>
#include <string>

namespace concertina {

/// What a scale may be, so that the product of two is a float, too.
inline constexpr float kLeastScale = 0x1p-60F, kMostScale = 0x1p60F;

/// How a tensor is held in 8 bits: the value x as round(x / scale) + zero_point, limited to 0 .. 255. Ties
/// are rounded to even. It is ONNX's QuantizeLinear for uint8.
struct Quantization {
  float scale = 1;     ///< kLeastScale .. kMostScale
  int zero_point = 0;  ///< 0 .. 255

  friend bool operator==(const Quantization&, const Quantization&) = default;
};

/// Numbers from `low` to `high`. Precondition: low <= high.
struct Interval {
  float low = 0;
  float high = 0;

  friend bool operator==(const Interval&, const Interval&) = default;
};

/// How a range is held: from 0 in 255 steps, or, if it has negative values, around 128 in steps of the same
/// size on both sides. The scale is a normal number, and 1 if the range is only 0.
/// Precondition: 0 is in the range.
Quantization quantization_of(const Interval& range);

/// Those of tensors, each by the name of the node that makes it.
using Quantizations = std::map<std::string, Quantization, std::less<>>;

}  // namespace concertina
