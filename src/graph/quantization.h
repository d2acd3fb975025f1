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

/// Those of tensors, each by the name of the node that makes it.
using Quantizations = std::map<std::string, Quantization, std::less<>>;

}  // namespace concertina
