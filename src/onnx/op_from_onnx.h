#pragma once

#include <span>

#include "graph/op.h"
#include "onnx/constant.h"

namespace concertina::onnx {

/// What the reader of an op may look at. A node's inputs are values first, constants after.
struct OpSource {
  const onnx::NodeProto& node;
  std::int64_t operator_set = 0;
  std::span<const Shape> values;        ///< shapes of the values it reads
  std::span<const int> ranks;           ///< and their ranks, 2 or 4
  std::span<const Constant> constants;  ///< those at the end that are left out are not here
};

/// An op and its arrays, in the order of its parameters().
struct OpWithArrays {
  Op op;
  std::vector<Array> arrays = {};
};

/// The op of an ONNX node, with as many values as it takes. Fails, without the node's name, if we have no
/// such op or it does not mean the same.
Result<OpWithArrays> read_op(const OpSource& source);

}  // namespace concertina::onnx
