#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace concertina {

/// The numbers that convolutions and linear layers compute with.
enum class Precision {
  fp32,
  /// Weights and inputs are rounded to bfloat16. Sums are fp32. Three kinds of layers stay fp32: depthwise
  /// convolutions, grouped convolutions, and classifiers that a sub-net does not share. Without AMX, so do
  /// layers that bfloat16 would not make faster.
  bf16,
  /// Weights and inputs have 8 bits, sums 32; on AVX2 without VNNI inputs have 7 bits. The model must hold
  /// the scales of its tensors, which `concertina-train quantize` finds. These layers stay fp32: depthwise
  /// convolutions, grouped convolutions, classifiers that a sub-net does not share, layers whose input has no
  /// scale in some sub-net, and layers that int8 would not make faster.
  int8,
  /// Each layer has the precision that a table says: the fastest on this machine (`concertina tune
  /// --precision auto`), or one for each sub-net (`concertina precisions`). int8 is among them if the model
  /// holds scales.
  automatic,
};

/// How files and command lines write a Precision.
inline constexpr std::array<std::string_view, 4> kPrecisions = {"fp32", "bf16", "int8", "auto"};

constexpr std::string_view name_of(Precision precision) {
  return kPrecisions[static_cast<std::size_t>(precision)];
}

}  // namespace concertina
