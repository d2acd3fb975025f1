#include "graph/ops/slice.h"

#include <fmt/format.h>

#include <algorithm>

namespace concertina::op {

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

}  // namespace concertina::op
