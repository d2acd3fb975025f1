#include "graph/ops/linear.h"

#include <fmt/format.h>

namespace concertina::op {

Result<Shape> Linear::output_shape(std::span<const Shape> inputs) const {
  if (out_features < 1) return Error{"it has no output features"};
  if (inputs[0] != Shape{in_features, 1, 1}) {
    return Error{fmt::format("its weights expect a vector of {} features, but {} arrives; flatten it first",
                             in_features, to_string(inputs[0]))};
  }
  return Shape{out_features, 1, 1};
}

ChannelAxis Linear::output_channels(const ChannelContext& context) const {
  return context.analysis.produce(context.node, out_features);
}

std::vector<Parameter> Linear::parameters() const {
  std::vector<Parameter> list = {{.name = "weight",
                                  .shape = {out_features, in_features},
                                  .axes = {ParameterAxis::output_channels, ParameterAxis::input_channels}}};
  if (bias)
    list.push_back({.name = "bias", .shape = {out_features}, .axes = {ParameterAxis::output_channels}});
  return list;
}

std::int64_t Linear::macs(const Shape& input, const Shape& output) const {
  return std::int64_t{input.channels} * output.channels;
}

}  // namespace concertina::op
