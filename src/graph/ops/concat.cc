#include "graph/ops/concat.h"

#include <fmt/format.h>

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

}  // namespace concertina::op
