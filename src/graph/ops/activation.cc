#include "graph/ops/activation.h"

#include <fmt/format.h>

#include <cmath>

namespace concertina::op {

std::string_view function_name(Function function) {
  switch (function) {
    case Function::relu:
      return "Relu";
    case Function::clip:
      return "Clip";
    case Function::leaky_relu:
      return "LeakyRelu";
    case Function::hard_sigmoid:
      return "HardSigmoid";
    case Function::hard_swish:
      return "HardSwish";
    case Function::sigmoid:
      return "Sigmoid";
    case Function::tanh:
      return "Tanh";
    case Function::elu:
      return "Elu";
    case Function::selu:
      return "Selu";
    case Function::softplus:
      return "Softplus";
    case Function::mish:
      return "Mish";
    case Function::erf:
      return "Erf";
    case Function::gelu:
    case Function::gelu_tanh:
      return "Gelu";
    case Function::sqrt:
      return "Sqrt";
    case Function::reciprocal:
      return "Reciprocal";
  }
  return "";
}

Result<Shape> Activation::output_shape(std::span<const Shape> inputs) const {
  if (!std::isfinite(a) || !std::isfinite(b)) return Error{"a parameter of it is not finite"};
  if (function == Function::clip && a > b) {
    return Error{fmt::format("its lower bound {} lies above its upper bound {}", a, b)};
  }
  return inputs[0];
}

ChannelAxis Softmax::output_channels(const ChannelContext& context) const {
  context.analysis.lock(context.inputs[0], context.node,
                        fmt::format("'{}' normalises over all of its channels", context.name));
  return context.inputs[0];
}

}  // namespace concertina::op
