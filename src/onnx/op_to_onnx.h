#pragma once

#include "graph/op.h"
#include "onnx/tensor.h"

namespace concertina {

/// Fills in the type and attributes of an op's ONNX node (operator set 13). Fails if ONNX has no such op.
Status write_op(const Op& op, onnx::NodeProto& node);

/// Arrays that ONNX wants as inputs though they are part of our op, by name; they follow the node's other
/// inputs.
std::vector<std::pair<std::string, Array>> constant_inputs(const Op& op);

}  // namespace concertina
