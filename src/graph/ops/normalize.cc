#include "graph/ops/normalize.h"

#include <fmt/format.h>

#include <cmath>

namespace concertina::op {

Result<Shape> GroupNorm::output_shape(std::span<const Shape> inputs) const {
  if (inputs[0].channels != channels)
    return Error{fmt::format("it normalises {} channels, but {} arrive", channels, inputs[0].channels)};
  if (group < 0 || (group > 0 && channels % group != 0) || (by_pixel && group != 0))
    return Error{fmt::format("its groups of {} do not divide {} channels", group, channels)};
  if (!std::isfinite(epsilon) || epsilon <= 0) return Error{"its epsilon is not a positive number"};
  return inputs[0];
}

// Whole groups are left out, so that those that stay are what they were. A group of all channels is of those
// that are left: the sub-net is trained that way.
ChannelAxis GroupNorm::output_channels(const ChannelContext& context) const {
  if (group <= 1) return context.inputs[0];
  return context.analysis.regroup(context.inputs[0], group, group, context.node);
}

std::vector<Parameter> GroupNorm::parameters() const {
  const auto array = [this](const char* name) {
    return Parameter{.name = name, .shape = {channels}, .axes = {ParameterAxis::output_channels}};
  };
  return {array("weight"), array("bias")};
}

}  // namespace concertina::op
