#pragma once

#include <vector>

#include "onnx/desugar_source.h"

namespace concertina::onnx {

/// Reads a node that is no op of ours but some of them together, or that depends on the layout of what it
/// reads: Split, Slice, Gather, Expand, reductions, Softmax, normalisations, Neg, Sub, Sum, Pow, Max and Min,
/// Concat of pixels, Conv along channels, and arithmetic with constants. True if it was one.
Result<bool> desugar(const DesugarSource& source);

/// The operand that is spread over the other comes second.
void larger_first(std::vector<OnnxValue>& pair);

}  // namespace concertina::onnx
