#include "structure_layers.h"

namespace concertina::bench {

NodeId StructureLayers::activate(const std::string& name, NodeId x, Nonlinearity nonlinearity) {
  switch (nonlinearity) {
    case Nonlinearity::relu:
      return relu(name, x);
    case Nonlinearity::relu6:
      return add(name, op::relu6(), {x});
    case Nonlinearity::hard_swish:
      return add(name, op::activation(op::Function::hard_swish), {x});
    case Nonlinearity::silu:
      break;
  }
  const NodeId gate = add(name + ".sigmoid", op::activation(op::Function::sigmoid), {x});
  return add(name, op::Mul{}, {x, gate});
}

NodeId StructureLayers::conv_bn_activate(const std::string& name, NodeId x, int out_channels, Window window,
                                         int groups, Nonlinearity nonlinearity) {
  return activate(name + "_activation", conv_bn(name, x, out_channels, window, groups), nonlinearity);
}

NodeId StructureLayers::bn_relu(const std::string& name, NodeId x) {
  op::BatchNorm norm;
  norm.channels = channels(x);
  return relu(name + "_relu", add(name, norm, {x}));
}

NodeId StructureLayers::excite(const std::string& name, NodeId x, const Excitation& excitation) {
  NodeId gate = global_pool(name + ".pool", x);
  gate = conv(name + ".squeeze", gate, excitation.squeezed);
  gate = activate(name + ".activation", gate, excitation.nonlinearity);
  gate = conv(name + ".expand", gate, channels(x));
  gate = add(name + ".gate", excitation.gate, {gate});
  return add(name + ".mul", op::Mul{}, {x, gate});
}

NodeId StructureLayers::layer_norm(const std::string& name, NodeId x) {
  op::GroupNorm norm;
  norm.channels = channels(x);
  norm.group = 0;
  norm.by_pixel = true;
  norm.epsilon = 1e-6F;
  return add(name, norm, {x});
}

NodeId StructureLayers::scale(const std::string& name, NodeId x) {
  op::Scale op;
  op.channels = channels(x);
  return add(name, op, {x});
}

NodeId StructureLayers::upsample(const std::string& name, NodeId x, int out_channels) {
  op::Conv op;
  op.in_channels = channels(x);
  op.out_channels = out_channels;
  op.window = Window::square(2, 1, 1);
  op.bias = true;
  op.input_dilation_h = op.input_dilation_w = 2;
  return add(name, op, {x});
}

NodeId StructureLayers::average_pool(const std::string& name, NodeId x, Window window) {
  op::AveragePool pool;
  pool.window = window;
  return add(name, pool, {x});
}

NodeId StructureLayers::slice(const std::string& name, NodeId x, int begin, int end) {
  op::Slice op;
  op.begin = begin;
  op.end = end;
  return add(name, op, {x});
}

NodeId StructureLayers::shuffle(const std::string& name, NodeId x, int groups) {
  op::ChannelShuffle op;
  op.groups = groups;
  return add(name, op, {x});
}

}  // namespace concertina::bench
