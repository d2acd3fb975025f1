#pragma once

#include <vector>

#include "onnx/graph_assembly.h"

namespace concertina::onnx {

/// Reads a node that is no op of ours but some of them together: Split, Gather, ReduceMean, Neg, Sub, Sum,
/// and arithmetic with constants. True if it was one. `constant_first`: of an operation on a constant and a
/// value.
Result<bool> desugar(GraphAssembly& assembly, const onnx::NodeProto& node,
                     const std::vector<OnnxValue>& values, const std::vector<Constant>& constants,
                     bool constant_first);

/// The operand that is spread over the other comes second.
void larger_first(std::vector<OnnxValue>& pair);

}  // namespace concertina::onnx
