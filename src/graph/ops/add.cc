#include "graph/ops/add.h"

#include <fmt/format.h>

namespace concertina::op {

Result<Shape> Add::output_shape(std::span<const Shape> inputs) const {
  if (inputs[0] != inputs[1]) {
    return Error{fmt::format("it adds {} and {}, which differ", to_string(inputs[0]), to_string(inputs[1]))};
  }
  return inputs[0];
}

ChannelAxis Add::output_channels(const ChannelContext& context) const {
  context.analysis.couple(context.inputs[0], context.inputs[1], context.node);
  return context.inputs[0];
}

}  // namespace concertina::op
