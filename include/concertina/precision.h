#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace concertina {

/// What convolutions and linear layers compute with.
enum class Precision {
  fp32,
  /// Weights and inputs are rounded to bfloat16, sums are fp32. Depthwise and grouped convolutions, and
  /// classifiers of a sub-net's own, stay fp32.
  bf16,
};

/// How files and command lines write a Precision.
inline constexpr std::array<std::string_view, 2> kPrecisions = {"fp32", "bf16"};

constexpr std::string_view name_of(Precision precision) {
  return kPrecisions[static_cast<std::size_t>(precision)];
}

}  // namespace concertina
