#pragma once

#include <span>

#include "graph/op.h"
#include "onnx/tensor.h"

namespace concertina {

/// What the reader of an op may look at. A node's inputs are values first, constants after.
struct OpSource {
  const onnx::NodeProto& node;
  std::int64_t operator_set = 0;
  std::span<const Shape> values;          ///< shapes of the values it reads
  std::span<const int> ranks;             ///< and their ranks
  std::span<const TensorView> constants;  ///< without a proto: left out
};

/// The op of an ONNX node, with as many values as it takes. Its parameters() are the constants in order,
/// except that a Relu6 has used up its own. Fails, without the node's name, if we have no such op or it does
/// not mean the same.
Result<Op> read_op(const OpSource& source);

}  // namespace concertina
