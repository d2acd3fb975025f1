#include "onnx/blocks_view.h"

namespace concertina::onnx {
namespace {

using Order = op::Blocks::Order;

/// What the three nodes make of a map.
bool makes(const View& view, const Shape& map, const std::vector<int>& pieces,
           const std::vector<int>& order) {
  const auto cut = View::map(map).reshaped(pieces);
  if (!cut) return false;
  const auto joined = cut->transposed(order).reshaped(view.sizes());
  return joined && *joined == view;
}

bool is(const op::DepthToSpace& op, const View& view, const Shape& map) {
  const auto& [channels, height, width] = map;
  const int b = op.block, made = channels / op.pixels();
  return op.order == Order::depth_column_row ? makes(view, map, {b, b, made, height, width}, {2, 3, 0, 4, 1})
                                             : makes(view, map, {made, b, b, height, width}, {0, 3, 1, 4, 2});
}

bool is(const op::SpaceToDepth& op, const View& view, const Shape& map) {
  const auto& [channels, height, width] = map;
  const int b = op.block;
  return makes(view, map, {channels, height / b, b, width / b, b}, order_of_pieces(op));
}

template <typename Blocks>
std::optional<Op> find(const View& view, const Shape& map, int block) {
  Blocks op;
  op.block = block;
  const Shape inputs[] = {map};
  for (const Order order : {Order::depth_column_row, Order::column_row_depth}) {
    op.order = order;
    const auto shape = op.output_shape(inputs);
    if (shape && view.sizes() == std::vector{shape->channels, shape->height, shape->width} &&
        is(op, view, map)) {
      return op;
    }
  }
  return std::nullopt;
}

}  // namespace

std::vector<int> order_of_pieces(const op::SpaceToDepth& op) {
  return op.order == Order::depth_column_row ? std::vector{2, 4, 0, 1, 3} : std::vector{0, 2, 4, 1, 3};
}

std::optional<Op> find_blocks(const View& view, const Shape& map) {
  const std::vector<int> sizes = view.sizes();
  if (sizes.size() != 3) return std::nullopt;
  const int height = sizes[1];
  return height > map.height ? find<op::DepthToSpace>(view, map, height / map.height)
                             : find<op::SpaceToDepth>(view, map, map.height / height);
}

}  // namespace concertina::onnx
