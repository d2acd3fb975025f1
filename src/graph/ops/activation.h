#pragma once

#include "graph/ops/elementwise.h"

namespace concertina::op {

/// A function of each value by itself.
enum class Function {
  relu,          ///< max(x, 0)
  clip,          ///< min(max(x, a), b)
  leaky_relu,    ///< x where x >= 0, a * x elsewhere
  hard_sigmoid,  ///< min(max(a * x + b, 0), 1)
  hard_swish,    ///< x * min(max(x / 6 + 1/2, 0), 1)
  sigmoid,       ///< 1 / (1 + exp(-x))
  tanh,          ///< (exp(2x) - 1) / (exp(2x) + 1)
  elu,           ///< x where x >= 0, a * (exp(x) - 1) elsewhere
  selu,          ///< b * elu(x)
  softplus,      ///< log(1 + exp(x))
  mish,          ///< x * tanh(softplus(x))
  erf,           ///< 2 / sqrt(pi) * integral of exp(-t * t) from 0 to x
  gelu,          ///< x / 2 * (1 + erf(x / sqrt(2)))
  gelu_tanh,     ///< x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))
  sqrt,          ///< no number where x < 0
  reciprocal,    ///< 1 / x
};

/// The ONNX op that it is, alone or by an attribute.
std::string_view function_name(Function function);

struct Activation : Elementwise {
  static constexpr std::string_view kType = "Activation";

  Function function = Function::relu;
  float a = 0, b = 0;  ///< see Function; 0 where it has no such parameter

  Result<Shape> output_shape(std::span<const Shape> inputs) const;
  bool is_relu() const { return function == Function::relu; }
  bool is_relu6() const { return function == Function::clip && a == 0 && b == 6; }

  friend bool operator==(const Activation&, const Activation&) = default;
};

inline Activation activation(Function function, float a = 0, float b = 0) {
  Activation op;
  op.function = function;
  op.a = a;
  op.b = b;
  return op;
}
inline Activation relu() {
  return activation(Function::relu);
}
inline Activation relu6() {
  return activation(Function::clip, 0, 6);
}

/// exp(x) normalised to sum 1 over the channels of each pixel, or its logarithm; so a channel less would
/// change all others.
struct Softmax : Elementwise {
  static constexpr std::string_view kType = "Softmax";

  bool logarithm = false;

  ChannelAxis output_channels(const ChannelContext& context) const;

  friend bool operator==(const Softmax&, const Softmax&) = default;
};

}  // namespace concertina::op
