#include "runtime/pointwise.h"

#include <limits>

namespace concertina::runtime {

kernels::PointwiseFunction pointwise(const op::Activation& op) {
  using Kind = kernels::PointwiseFunction::Kind;
  const auto as = [&](Kind kind) { return kernels::PointwiseFunction{kind, op.a, op.b}; };
  switch (op.function) {
    case op::Function::relu:
      break;
    case op::Function::clip:
      return as(Kind::clip);
    case op::Function::leaky_relu:
      return as(Kind::leaky_relu);
    case op::Function::hard_sigmoid:
      return as(Kind::hard_sigmoid);
    case op::Function::hard_swish:
      return as(Kind::hard_swish);
    case op::Function::sigmoid:
      return as(Kind::sigmoid);
    case op::Function::tanh:
      return as(Kind::tanh);
    case op::Function::elu:
      return as(Kind::elu);
    case op::Function::selu:
      return as(Kind::selu);
    case op::Function::softplus:
      return as(Kind::softplus);
    case op::Function::mish:
      return as(Kind::mish);
    case op::Function::erf:
      return as(Kind::erf);
    case op::Function::gelu:
      return as(Kind::gelu);
    case op::Function::gelu_tanh:
      return as(Kind::gelu_tanh);
    case op::Function::sqrt:
      return as(Kind::sqrt);
    case op::Function::reciprocal:
      return as(Kind::reciprocal);
  }
  return {Kind::clip, 0, std::numeric_limits<float>::max()};
}

kernels::ChannelReduction channel_reduction(op::ChannelReduce::Kind kind) {
  switch (kind) {
    case op::ChannelReduce::Kind::mean:
      break;
    case op::ChannelReduce::Kind::max:
      return kernels::ChannelReduction::largest;
    case op::ChannelReduce::Kind::sum:
      return kernels::ChannelReduction::sum;
  }
  return kernels::ChannelReduction::mean;
}

}  // namespace concertina::runtime
