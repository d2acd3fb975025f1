#include "testing/train_structures.h"

#include <cstdlib>

namespace concertina::testing {
namespace {

/// Adds layers and follows the shape.
class Layers {
 public:
  explicit Layers(int inputs = 1) {
    for (int i = 0; i < inputs; ++i) {
      op::Input input;
      input.shape = {3, 12, 12};
      add(input, {});
    }
  }

  NodeId add(Op op, std::vector<NodeId> inputs) {
    std::vector<Shape> shapes;
    for (const NodeId id : inputs) shapes.push_back(shapes_[id]);
    const auto shape = std::visit([&](const auto& o) { return o.output_shape(shapes); }, op);
    if (!shape) std::abort();  // a mistake of this file
    shapes_.push_back(*shape);
    const std::string name = std::string(type_name(op)) + std::to_string(shapes_.size());
    return builder_.add(name, std::move(op), std::move(inputs));
  }
  NodeId conv(NodeId x, int channels, Window window = {}, int groups = 1, bool bias = false) {
    op::Conv conv;
    conv.in_channels = channels_of(x);
    conv.out_channels = channels;
    conv.window = window;
    conv.groups = groups;
    conv.bias = bias;
    return add(conv, {x});
  }
  NodeId norm(NodeId x) {
    op::BatchNorm norm;
    norm.channels = channels_of(x);
    return add(norm, {x});
  }
  NodeId conv_norm_relu(NodeId x, int channels, Window window = Window::square(3, 1, 1), int groups = 1) {
    return add(op::relu(), {norm(conv(x, channels, window, groups))});
  }
  NodeId linear(NodeId x, int features) {
    op::Linear linear;
    linear.in_features = channels_of(x);
    linear.out_features = features;
    return add(linear, {x});
  }
  NodeId flatten(NodeId x) {
    const Shape& shape = shapes_[x];
    op::Flatten flatten;
    flatten.pixels = shape.height * shape.width;
    return add(flatten, {x});
  }
  NodeId pool(NodeId x) { return add(op::GlobalAveragePool{}, {x}); }
  NodeId slice(NodeId x, int begin, int end) {
    op::Slice slice;
    slice.begin = begin;
    slice.end = end;
    return add(slice, {x});
  }
  NodeId classify(NodeId x) { return linear(flatten(pool(x)), 4); }

  Graph build(std::vector<NodeId> outputs = {}) {
    auto graph = std::move(builder_).build(std::move(outputs));
    if (!graph) std::abort();
    return std::move(graph).value();
  }

 private:
  int channels_of(NodeId x) const { return shapes_[x].channels; }

  GraphBuilder builder_;
  std::vector<Shape> shapes_;
};

Graph squeeze_and_excite() {
  Layers net;
  const NodeId x =
      net.add(op::activation(op::Function::hard_swish), {net.norm(net.conv(0, 9, Window::square(3, 1, 1)))});
  const NodeId squeezed = net.add(op::relu(), {net.conv(net.pool(x), 5, {}, 1, true)});
  const NodeId gate = net.add(op::activation(op::Function::hard_sigmoid, 1.0F / 6, 0.5F),
                              {net.conv(squeezed, 9, {}, 1, true)});
  net.classify(net.add(op::Mul{}, {x, gate}));
  return net.build();
}

Graph excite_by_vectors() {
  Layers net;
  const NodeId x = net.conv_norm_relu(0, 9);
  const NodeId squeezed = net.add(op::relu(), {net.linear(net.flatten(net.pool(x)), 6)});
  const NodeId gate = net.add(op::activation(op::Function::sigmoid), {net.linear(squeezed, 9)});
  const NodeId gated = net.add(op::Mul{}, {x, net.add(op::AsMap{}, {gate})});
  net.classify(gated);
  return net.build();
}

Graph spatial_attention() {
  Layers net;
  const NodeId x = net.conv_norm_relu(0, 8);
  const NodeId where =
      net.add(op::activation(op::Function::sigmoid), {net.conv(x, 1, Window::square(5, 1, 2), 1, true)});
  const NodeId attended = net.add(op::Mul{}, {x, where});
  const NodeId offset = net.linear(net.flatten(net.pool(x)), 1);
  net.classify(net.add(op::Add{}, {attended, net.add(op::AsMap{}, {offset})}));
  return net.build();
}

Graph u_net() {
  Layers net;
  op::MaxPool half;
  half.window = Window::square(2, 2);
  const NodeId top = net.conv_norm_relu(0, 6);
  const NodeId middle = net.conv_norm_relu(net.add(half, {top}), 8);
  const NodeId bottom = net.conv_norm_relu(net.add(half, {middle}), 10);
  op::Resize nearest;
  nearest.height = nearest.width = 6;
  nearest.scale_h = nearest.scale_w = 2;
  const NodeId up = net.conv_norm_relu(net.add(op::Concat{}, {net.add(nearest, {bottom}), middle}), 7);
  op::Resize linear;
  linear.height = linear.width = 12;
  linear.scale_h = linear.scale_w = 2;
  linear.mode = op::Resize::Mode::linear;
  linear.coordinates = op::Resize::Coordinates::half_pixel;
  const NodeId full = net.conv_norm_relu(net.add(op::Concat{}, {net.add(linear, {up}), top}), 6);
  net.conv(full, 2, {}, 1, true);
  return net.build();
}

Graph resnext() {
  Layers net;
  const NodeId x = net.conv_norm_relu(0, 12);
  const NodeId grouped = net.conv_norm_relu(net.conv_norm_relu(x, 16, {}), 16, Window::square(3, 1, 1), 4);
  const NodeId sum = net.add(op::Add{}, {net.norm(net.conv(grouped, 12)), x});
  net.classify(net.add(op::relu(), {sum}));
  return net.build();
}

Graph grouped_and_multiplied() {
  Layers net;
  const NodeId x = net.conv_norm_relu(0, 12);
  const NodeId wide = net.conv_norm_relu(x, 18, Window::square(3, 1, 1), 6);
  const NodeId depthwise = net.conv_norm_relu(wide, 36, Window::square(3, 1, 1), 18);
  net.classify(depthwise);
  return net.build();
}

Graph shuffle_net() {
  Layers net;
  const NodeId x = net.conv_norm_relu(0, 12);
  const NodeId right = net.conv_norm_relu(net.slice(x, 6, 12), 8, {});
  const NodeId depthwise = net.conv_norm_relu(right, 8, Window::square(3, 1, 1), 8);
  const NodeId joined = net.add(op::Concat{}, {net.slice(x, 0, 6), net.conv_norm_relu(depthwise, 6, {})});
  op::ChannelShuffle shuffle;
  shuffle.groups = 2;
  net.classify(net.conv_norm_relu(net.add(shuffle, {joined}), 9, {}));
  return net.build();
}

Graph sliced() {
  Layers net;
  const NodeId x = net.conv_norm_relu(0, 14);
  const NodeId a = net.conv_norm_relu(net.slice(x, 0, 5), 6);
  const NodeId b = net.conv_norm_relu(net.slice(x, 5, 14), 6);
  const NodeId middle = net.conv_norm_relu(net.slice(x, 3, 8), 6);
  net.classify(net.add(op::Add{}, {net.add(op::Add{}, {a, b}), middle}));
  return net.build();
}

Graph dense_net() {
  Layers net;
  NodeId x = net.conv(0, 8, Window::square(3, 1, 1));
  for (int i = 0; i < 2; ++i) {
    const NodeId narrow = net.conv(net.add(op::relu(), {net.norm(x)}), 8);
    x = net.add(op::Concat{},
                {x, net.conv(net.add(op::relu(), {net.norm(narrow)}), 4, Window::square(3, 1, 1))});
  }
  op::AveragePool pool;
  pool.window = Window::square(2, 2);
  x = net.add(pool, {net.conv(net.add(op::relu(), {net.norm(x)}), 9)});
  net.classify(net.add(op::relu(), {net.norm(x)}));
  return net.build();
}

Graph windows() {
  Layers net;
  op::Pad reflect, edge, constant;
  reflect.mode = op::Pad::Mode::reflect;
  reflect.top = 2, reflect.left = 1, reflect.right = 3;
  edge.mode = op::Pad::Mode::edge;
  edge.bottom = 2, edge.left = 2;
  constant.top = constant.right = 1, constant.value = 0.5F;
  Window dilated{3, 3, 1, 1, 2, 2, 1, 1, 2, 2};
  NodeId x = net.norm(net.conv(net.add(reflect, {0}), 6, dilated));
  x = net.add(op::activation(op::Function::leaky_relu, 0.1F), {x});
  op::Scale scale;
  scale.channels = 6;
  op::Shift shift;
  shift.channels = 6;
  x = net.add(shift, {net.add(scale, {x})});
  x = net.add(op::activation(op::Function::clip, -0.5F, 1.5F),
              {net.conv(net.add(edge, {x}), 8, dilated, 1, true)});
  op::AveragePool mean;
  mean.window = {2, 3, 2, 2, 1, 0, 0, 1, 1, 1};
  op::MaxPool largest;
  largest.window = {3, 2, 1, 1, 1, 0, 0, 0, 2, 1};
  x = net.add(largest, {net.add(mean, {net.add(constant, {x})})});
  op::Scale vector_scale;
  vector_scale.channels = 7;
  op::Shift vector_shift;
  vector_shift.channels = 7;
  x = net.add(vector_shift, {net.add(vector_scale, {net.linear(net.flatten(x), 7)})});
  net.linear(net.add(op::relu6(), {x}), 4);
  return net.build();
}

Graph dilated_means() {
  Layers net;
  op::AveragePool mean;
  mean.window = {2, 3, 2, 2, 1, 0, 0, 1, 1, 2};
  const NodeId x = net.add(mean, {net.conv_norm_relu(0, 8)});
  mean.count_padding = true;
  net.classify(net.conv_norm_relu(net.add(mean, {x}), 6));
  return net.build();
}

Graph resized() {
  Layers net;
  NodeId x = net.conv_norm_relu(0, 8);
  op::Resize resize;
  resize.height = 7, resize.width = 17;
  resize.scale_h = 7.0F / 12, resize.scale_w = 17.0F / 12;
  resize.mode = op::Resize::Mode::linear;
  resize.coordinates = op::Resize::Coordinates::align_corners;
  net.classify(net.conv_norm_relu(net.add(resize, {x}), 6));
  return net.build();
}

Graph two_inputs() {
  Layers net(2);
  const NodeId sum = net.add(op::Add{}, {net.conv_norm_relu(0, 8), net.conv_norm_relu(1, 8)});
  net.classify(sum);
  return net.build();
}

/// The first output comes before the second; a batch norm, a ReLU and what one output reads are outputs too.
Graph many_outputs() {
  Layers net;
  const NodeId norm = net.norm(net.conv(0, 8, Window::square(3, 1, 1)));
  const NodeId x = net.add(op::relu(), {norm});
  const NodeId scores = net.classify(net.conv_norm_relu(x, 7));
  const NodeId hidden = net.norm(net.conv(x, 6, Window::square(3, 1, 1)));
  const NodeId rectified = net.add(op::relu(), {hidden});
  const NodeId map = net.conv(net.conv_norm_relu(rectified, 7), 2, {}, 1, true);
  return net.build({scores, map, norm, rectified});
}

}  // namespace

std::vector<Structure> structures() {
  return {{"squeeze_and_excite", squeeze_and_excite()},
          {"excite_by_vectors", excite_by_vectors()},
          {"spatial_attention", spatial_attention()},
          {"u_net", u_net()},
          {"resnext", resnext()},
          {"grouped_and_multiplied", grouped_and_multiplied()},
          {"shuffle_net", shuffle_net()},
          {"sliced", sliced()},
          {"dense_net", dense_net()},
          {"windows", windows()},
          {"dilated_means", dilated_means()},
          {"resized", resized()},
          {"two_inputs", two_inputs()},
          {"many_outputs", many_outputs()}};
}

}  // namespace concertina::testing
