#include "graph/networks/layers.h"

#include <algorithm>
#include <cmath>

namespace concertina::networks {

int Layers::scaled(int channels) const {
  return std::max(1, static_cast<int>(std::lround(channels * width_)));
}

NodeId Layers::add_input(const std::string& name, const Shape& shape) {
  op::Input input;
  input.shape = shape;
  return add(name, input, {});
}

NodeId Layers::add(const std::string& name, Op op, std::vector<NodeId> inputs) {
  std::vector<Shape> input_shapes;
  for (const NodeId id : inputs) input_shapes.push_back(shape(id));
  const auto result = std::visit([&](const auto& o) { return o.output_shape(input_shapes); }, op);
  // A layer that does not fit is reported by Graph::make(), with its name.
  shapes_.push_back(result ? *result : Shape{});
  return builder_.add(name, std::move(op), std::move(inputs));
}

NodeId Layers::conv(const std::string& name, NodeId x, int out_channels, Window window, int groups,
                    bool bias) {
  op::Conv conv;
  conv.in_channels = shape(x).channels;
  conv.out_channels = out_channels;
  conv.window = window;
  conv.groups = groups;
  conv.bias = bias;
  return add(name, conv, {x});
}

NodeId Layers::conv_bn(const std::string& name, NodeId x, int out_channels, Window window, int groups) {
  const NodeId c = conv(name, x, out_channels, window, groups, /*bias=*/false);
  op::BatchNorm norm;
  norm.channels = out_channels;
  return add(name + "_bn", norm, {c});
}

NodeId Layers::conv_bn_relu(const std::string& name, NodeId x, int out_channels, Window window, int groups) {
  return relu(name + "_relu", conv_bn(name, x, out_channels, window, groups));
}

NodeId Layers::max_pool(const std::string& name, NodeId x, Window window) {
  op::MaxPool pool;
  pool.window = window;
  return add(name, pool, {x});
}

NodeId Layers::flatten(const std::string& name, NodeId x) {
  op::Flatten flatten;
  flatten.pixels = shape(x).height * shape(x).width;
  return add(name, flatten, {x});
}

NodeId Layers::linear(const std::string& name, NodeId x, int out_features, bool bias) {
  op::Linear linear;
  linear.in_features = shape(x).channels;
  linear.out_features = out_features;
  linear.bias = bias;
  return add(name, linear, {x});
}

NodeId Layers::classify(NodeId x, int classes) {
  return linear("fc", flatten("flatten", add("pool", op::GlobalAveragePool{}, {x})), classes);
}

}  // namespace concertina::networks
