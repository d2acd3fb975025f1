#pragma once

#include <vector>

#include "onnx/graph_assembly.h"

namespace concertina::onnx {

/// Reads a node that is no op of ours but some of them together, or that depends on the layout of what it
/// reads: Split, Gather, Expand, ReduceMean, ReduceMax, normalisations, Neg, Sub, Sum, Pow, and arithmetic
/// with constants. True if it was one. `constant_first`: of an operation on a constant and a value.
Result<bool> desugar(GraphAssembly& assembly, const onnx::NodeProto& node,
                     const std::vector<OnnxValue>& values, const std::vector<Constant>& constants,
                     bool constant_first, std::int64_t operator_set);

/// The operand that is spread over the other comes second.
void larger_first(std::vector<OnnxValue>& pair);

}  // namespace concertina::onnx
