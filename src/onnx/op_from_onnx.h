#pragma once

#include <span>
#include <vector>

#include "graph/op.h"
#include "onnx/attributes.h"
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

/// Why read_op() fails at an op that we do not have.
inline constexpr const char* kNoRule = "there is no rule for this op";

/// The op of an ONNX node, with as many values as it takes. Fails, without the node's name, if we have no
/// such op or it does not mean the same.
Result<OpWithArrays> read_op(const OpSource& source);

/// Whether constant `i` is there.
bool has(const OpSource& source, std::size_t i);

/// A list of whole numbers: an attribute in older operator sets, constant `i` since.
Result<std::vector<std::int64_t>> listed(const OpSource& source, Attributes& attributes, const char* name,
                                         std::size_t i);

/// Pad; DepthToSpace; SpaceToDepth; Resize and Upsample: what changes a map's rows and columns. See
/// read_op().
Result<OpWithArrays> read_pad(const OpSource& source);
Result<OpWithArrays> read_depth_to_space(const OpSource& source);
Result<OpWithArrays> read_space_to_depth(const OpSource& source);
Result<OpWithArrays> read_resize(const OpSource& source);

/// The sliding window that a node's attributes describe over `input`: explicit or automatic padding; where
/// the output's size is rounded up (`ceil_mode`), padding at the bottom and right that makes it so. `kernel`:
/// the size if the node does not say it. Leaves attributes.done() to the caller.
Result<Window> read_window(Attributes& attributes, const std::vector<int>& kernel, const Shape& input);

}  // namespace concertina::onnx
