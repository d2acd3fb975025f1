#include "graph/ops/rearrange.h"

#include <fmt/format.h>

#include <algorithm>

namespace concertina::op {

Result<Shape> Concat::output_shape(std::span<const Shape> inputs) const {
  Shape sum = inputs[0];
  for (const Shape& shape : inputs.subspan(1)) {
    if (shape.height != sum.height || shape.width != sum.width) {
      return Error{
          fmt::format("it joins {} and {}, whose maps differ", to_string(inputs[0]), to_string(shape))};
    }
    sum.channels += shape.channels;
  }
  return sum;
}

ChannelAxis Concat::output_channels(const ChannelContext& context) const {
  ChannelAxis joined;
  for (const ChannelAxis& axis : context.inputs) joined.insert(joined.end(), axis.begin(), axis.end());
  return joined;
}

Result<Shape> Slice::output_shape(std::span<const Shape> inputs) const {
  Shape shape = inputs[0];
  if (begin < 0 || begin >= end || end > shape.channels) {
    return Error{fmt::format("it takes the channels {} to {} of {}", begin, end, shape.channels)};
  }
  shape.channels = end - begin;
  return shape;
}

ChannelAxis Slice::output_channels(const ChannelContext& context) const {
  return context.analysis.slice(context.inputs[0], begin, end, context.node);
}

void Slice::resize(const ActiveFeatures& active) {
  const int first = begin;
  begin = 0;
  for (const FeatureRange& range : active.input_ranges) {
    begin += std::clamp(first - range.begin, 0, range.count);
  }
  end = begin + active.out;
}

Result<Shape> PadChannels::output_shape(std::span<const Shape> inputs) const {
  if (before < 0 || after < 0 || before + after == 0) return Error{"it adds no channels"};
  Shape shape = inputs[0];
  shape.channels += before + after;
  return shape;
}

ChannelAxis PadChannels::output_channels(const ChannelContext& context) const {
  const ChannelAxis zeros = context.analysis.produce(context.node, before + after);
  ChannelAxis axis;
  const auto append = [&](const ChannelAxis& part) { axis.insert(axis.end(), part.begin(), part.end()); };
  if (before > 0) append(context.analysis.slice(zeros, 0, before, context.node));
  append(context.inputs[0]);
  if (after > 0) append(context.analysis.slice(zeros, before, before + after, context.node));
  return axis;
}

void PadChannels::resize(const ActiveFeatures& active) {
  int first = 0;
  for (const FeatureRange& range : active.output_ranges) first += range.begin < before ? range.count : 0;
  before = first;
  after = active.out - active.in - first;
}

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
