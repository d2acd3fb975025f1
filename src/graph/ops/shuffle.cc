#include "graph/ops/shuffle.h"

#include <fmt/format.h>

namespace concertina::op {

Result<Shape> ChannelShuffle::output_shape(std::span<const Shape> inputs) const {
  const int channels = inputs[0].channels;
  if (groups < 1 || channels % groups != 0) {
    return Error{fmt::format("its {} groups do not divide {} channels", groups, channels)};
  }
  if (groups == 1 || groups == channels) return Error{"it moves no channel"};
  return inputs[0];
}

ChannelAxis ChannelShuffle::output_channels(const ChannelContext& context) const {
  const std::string why = fmt::format(
      "'{}' shuffles its channels, so where one goes depends on how many there are", context.name);
  context.analysis.lock(context.inputs[0], context.node, why);
  ChannelAxis axis = context.analysis.produce(context.node, context.analysis.features(context.inputs[0]));
  context.analysis.lock(axis, context.node, why);
  return axis;
}

}  // namespace concertina::op
