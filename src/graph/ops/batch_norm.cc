#include "graph/ops/batch_norm.h"

#include <fmt/format.h>

namespace concertina::op {

Result<Shape> BatchNorm::output_shape(std::span<const Shape> inputs) const {
  if (inputs[0].channels != channels) {
    return Error{fmt::format("it normalises {} channels, but {} arrive", channels, inputs[0].channels)};
  }
  return inputs[0];
}

std::vector<Parameter> BatchNorm::parameters() const {
  const auto array = [this](const char* name, bool trainable) {
    return Parameter{
        .name = name, .shape = {channels}, .axes = {ParameterAxis::output_channels}, .trainable = trainable};
  };
  return {array("weight", true), array("bias", true), array("running_mean", false),
          array("running_var", false)};
}

}  // namespace concertina::op
