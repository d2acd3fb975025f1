#include "graph/ops/conv.h"

#include <fmt/format.h>

namespace concertina::op {

Result<Shape> Conv::output_shape(std::span<const Shape> inputs) const {
  if (inputs[0].channels != in_channels) {
    return Error{
        fmt::format("its weights expect {} input channels, but {} arrive", in_channels, inputs[0].channels)};
  }
  if (out_channels < 1) return Error{"it has no output channels"};
  if (groups < 1 || in_channels % groups != 0 || out_channels % groups != 0) {
    return Error{fmt::format("{} groups do not divide {} input and {} output channels", groups, in_channels,
                             out_channels)};
  }
  auto shape = window.slide_over(inputs[0]);
  if (shape) shape->channels = out_channels;
  return shape;
}

ChannelAxis Conv::output_channels(const ChannelContext& context) const {
  if (depthwise()) {
    ChannelAxis axis = context.inputs[0];
    for (Segment& segment : axis) segment.repeat *= out_channels / in_channels;
    context.analysis.reproduce(axis, context.node,
                               fmt::format("'{}' is depthwise: its channels are its input's", context.name));
    return axis;
  }
  if (groups > 1) {
    return context.analysis.regroup(context.inputs[0], in_channels / groups, out_channels / groups,
                                    context.node);
  }
  return context.analysis.produce(context.node, out_channels);
}

std::vector<Parameter> Conv::parameters() const {
  constexpr auto kOutput = ParameterAxis::output_channels;
  constexpr auto kFixed = ParameterAxis::fixed;
  std::vector<Parameter> list = {
      {.name = "weight",
       .shape = {out_channels, in_channels / groups, window.kernel_h, window.kernel_w},
       .axes = {kOutput, groups == 1 ? ParameterAxis::input_channels : kFixed, kFixed, kFixed}}};
  if (bias) list.push_back({.name = "bias", .shape = {out_channels}, .axes = {kOutput}});
  return list;
}

std::int64_t Conv::macs(const Shape& input, const Shape& output) const {
  const std::int64_t group_channels = groups == 1 ? input.channels : in_channels / groups;
  return output.elements() * group_channels * window.taps();
}

}  // namespace concertina::op
