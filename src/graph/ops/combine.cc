#include "graph/ops/combine.h"

#include <fmt/format.h>

namespace concertina::op {

Result<Shape> Combine::output_shape(std::span<const Shape> inputs) const {
  const auto& [a, b] = std::pair{inputs[0], inputs[1]};
  const bool channels = b.channels == a.channels || b.channels == 1;
  const bool map = (b.height == a.height && b.width == a.width) || (b.height == 1 && b.width == 1);
  if (!channels || !map) {
    return Error{fmt::format("it combines {} and {}, which do not fit together", to_string(a), to_string(b))};
  }
  return a;
}

ChannelAxis Combine::output_channels(const ChannelContext& context) const {
  const ChannelAxis& all = context.inputs[0];
  const ChannelAxis& other = context.inputs[1];
  if (context.analysis.features(other) == context.analysis.features(all)) {
    context.analysis.couple(all, other, context.node);
  } else {
    context.analysis.lock(other, context.node,
                          fmt::format("'{}' spreads it over the channels of its other input", context.name));
  }
  return all;
}

}  // namespace concertina::op
