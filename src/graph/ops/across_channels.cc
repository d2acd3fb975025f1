#include "graph/ops/across_channels.h"

#include <fmt/format.h>

#include <cmath>

namespace concertina::op {

Result<Shape> ChannelReduce::output_shape(std::span<const Shape> inputs) const {
  return Shape{1, inputs[0].height, inputs[0].width};
}

ChannelAxis ChannelReduce::output_channels(const ChannelContext& context) const {
  return context.analysis.produce(context.node, 1);
}

Result<Shape> LocalResponseNorm::output_shape(std::span<const Shape> inputs) const {
  const bool finite = std::isfinite(alpha) && std::isfinite(beta) && std::isfinite(bias);
  if (size % 2 == 0) return Error{fmt::format("its size {} is even, which ONNX Runtime does not run", size)};
  if (size < 1 || !finite || alpha < 0 || bias <= 0)
    return Error{
        fmt::format("its size {}, alpha {}, beta {} and bias {} make no norm", size, alpha, beta, bias)};
  return inputs[0];
}

ChannelAxis LocalResponseNorm::output_channels(const ChannelContext& context) const {
  context.analysis.lock(
      context.inputs[0], context.node,
      fmt::format("'{}' normalises over neighbouring channels, so their order counts", context.name));
  return context.inputs[0];
}

}  // namespace concertina::op
