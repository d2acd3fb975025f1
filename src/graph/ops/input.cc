#include "graph/ops/input.h"

#include <fmt/format.h>

namespace concertina::op {

Result<Shape> Input::output_shape(std::span<const Shape>) const {
  if (shape.channels < 1 || shape.height < 1 || shape.width < 1) {
    return Error{fmt::format("{} is no input shape", to_string(shape))};
  }
  return shape;
}

ChannelAxis Input::output_channels(const ChannelContext& context) const {
  ChannelAxis axis = context.analysis.produce(context.node, shape.channels);
  context.analysis.lock(axis, context.node, fmt::format("'{}' is the network's input", context.name));
  return axis;
}

}  // namespace concertina::op
