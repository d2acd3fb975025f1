#include "graph/ops/flatten.h"

#include <fmt/format.h>

#include <limits>

namespace concertina::op {

Result<Shape> Flatten::output_shape(std::span<const Shape> inputs) const {
  if (inputs[0].height * inputs[0].width != pixels) {
    return Error{fmt::format("it expects maps of {} pixels, but {} arrives", pixels, to_string(inputs[0]))};
  }
  if (inputs[0].elements() > std::numeric_limits<int>::max()) return Error{"its result is too large"};
  return Shape{static_cast<int>(inputs[0].elements()), 1, 1};
}

ChannelAxis Flatten::output_channels(const ChannelContext& context) const {
  ChannelAxis axis = context.inputs[0];
  for (Segment& segment : axis) segment.repeat *= pixels;
  return axis;
}

Result<Shape> AsMap::output_shape(std::span<const Shape> inputs) const {
  if (inputs[0].height == 1 && inputs[0].width == 1) return inputs[0];
  return Error{fmt::format("it makes a map of a vector, but {} arrives", to_string(inputs[0]))};
}

}  // namespace concertina::op
