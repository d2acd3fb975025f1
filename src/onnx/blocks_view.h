#pragma once

#include <optional>

#include "graph/op.h"
#include "onnx/view.h"

namespace concertina::onnx {

/// How a Transpose orders what SpaceToDepth cuts a map into: channels, rows, rows of the block, columns,
/// columns of the block.
std::vector<int> order_of_pieces(const op::SpaceToDepth& op);

/// The op that Reshape, Transpose and Reshape are, if they move a map's pixels to channels or back.
std::optional<Op> find_blocks(const View& view, const Shape& map);

}  // namespace concertina::onnx
