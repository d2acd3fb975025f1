#include "graph/ops/affine.h"

#include <fmt/format.h>

namespace concertina::op {
namespace {

Result<Shape> checked(const Shape& input, int channels) {
  if (input.channels == channels) return input;
  return Error{fmt::format("it has constants for {} channels, but {} arrive", channels, input.channels)};
}

std::vector<Parameter> per_channel(const char* name, int channels) {
  return {{.name = name, .shape = {channels}, .axes = {ParameterAxis::output_channels}}};
}

}  // namespace

Result<Shape> Scale::output_shape(std::span<const Shape> inputs) const {
  return checked(inputs[0], channels);
}
std::vector<Parameter> Scale::parameters() const {
  return per_channel("weight", channels);
}

Result<Shape> Shift::output_shape(std::span<const Shape> inputs) const {
  return checked(inputs[0], channels);
}
std::vector<Parameter> Shift::parameters() const {
  return per_channel("bias", channels);
}

Result<Shape> PRelu::output_shape(std::span<const Shape> inputs) const {
  return checked(inputs[0], channels);
}
std::vector<Parameter> PRelu::parameters() const {
  return per_channel("weight", channels);
}

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
