#pragma once

namespace concertina {

/// What convolutions and linear layers compute with.
enum class Precision {
  fp32,
  /// Weights and inputs are rounded to bfloat16, sums are fp32. Depthwise and grouped convolutions, and
  /// classifiers of a sub-net's own, stay fp32.
  bf16,
};

}  // namespace concertina
