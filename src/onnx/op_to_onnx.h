#pragma once

#include <string>
#include <vector>

#include "graph/op.h"
#include "graph/shape.h"
#include "onnx/tensor.h"

namespace concertina::onnx {

/// What the writer of an op may look at.
struct OpTarget {
  onnx::GraphProto& graph;
  const std::string& name;          ///< of the node and of its value
  std::vector<std::string> inputs;  ///< the values it reads, then its parameters' arrays
  Shape input;                      ///< of the first value
  Shape output;
  int rank = 4;                ///< of the value that it makes
  std::int64_t& operator_set;  ///< raised to the first that has what the op needs
};

/// Adds the ONNX nodes of an op (operator set 14 or later), mostly one. Arrays that ONNX wants as inputs
/// though they are part of our op become initializers "<name>.<what>". Fails if ONNX has no such op.
Status write_op(const Op& op, const OpTarget& target);

}  // namespace concertina::onnx
