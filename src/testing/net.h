#pragma once

#include <string>
#include <utility>
#include <vector>

#include "graph/networks/layers.h"

namespace concertina::testing {

/// Builds the networks of the tests: the builder of the built-in networks, with the ops that those do
/// without.
class Net : public networks::Layers {
 public:
  explicit Net(const Shape& image) { add_input("image", image); }

  NodeId norm(const std::string& name, NodeId x, float epsilon = 1e-3F) {
    op::BatchNorm op;
    op.channels = shape(x).channels;
    op.epsilon = epsilon;
    return add(name, op, {x});
  }
  /// `window` slides over the map with zeros between its pixels.
  NodeId conv_transpose(const std::string& name, NodeId x, int out_channels, Window window, int stride_h,
                        int stride_w, int groups = 1, bool bias = true) {
    op::Conv op;
    op.in_channels = shape(x).channels;
    op.out_channels = out_channels;
    op.window = window;
    op.groups = groups;
    op.bias = bias;
    op.input_dilation_h = stride_h;
    op.input_dilation_w = stride_w;
    return add(name, op, {x});
  }
  NodeId average(const std::string& name, NodeId x, Window window, bool count_padding = false) {
    op::AveragePool op;
    op.window = window;
    op.count_padding = count_padding;
    return add(name, op, {x});
  }
  NodeId scale(const std::string& name, NodeId x) {
    op::Scale op;
    op.channels = shape(x).channels;
    return add(name, op, {x});
  }
  NodeId shift(const std::string& name, NodeId x) {
    op::Shift op;
    op.channels = shape(x).channels;
    return add(name, op, {x});
  }
  NodeId slice(const std::string& name, NodeId x, int begin, int end) {
    op::Slice op;
    op.begin = begin;
    op.end = end;
    return add(name, op, {x});
  }
  NodeId pad_channels(const std::string& name, NodeId x, int before, int after) {
    op::PadChannels op;
    op.before = before;
    op.after = after;
    return add(name, op, {x});
  }
  NodeId group_norm(const std::string& name, NodeId x, int group) {
    op::GroupNorm op;
    op.channels = shape(x).channels;
    op.group = group;
    op.epsilon = 1e-3F;
    return add(name, op, {x});
  }
  NodeId layer_norm(const std::string& name, NodeId x) {
    op::GroupNorm op;
    op.channels = shape(x).channels;
    op.group = 0;
    op.by_pixel = true;
    op.epsilon = 1e-3F;
    return add(name, op, {x});
  }
  NodeId reduce_channels(const std::string& name, NodeId x, op::ChannelReduce::Kind kind) {
    op::ChannelReduce op;
    op.kind = kind;
    return add(name, op, {x});
  }
  NodeId local_response(const std::string& name, NodeId x, int size) {
    op::LocalResponseNorm op;
    op.size = size;
    op.alpha = 0.2F;
    op.bias = 2;
    return add(name, op, {x});
  }
  NodeId depth_to_space(const std::string& name, NodeId x, int block, op::Blocks::Order order) {
    op::DepthToSpace op;
    op.block = block;
    op.order = order;
    return add(name, op, {x});
  }
  NodeId space_to_depth(const std::string& name, NodeId x, int block, op::Blocks::Order order) {
    op::SpaceToDepth op;
    op.block = block;
    op.order = order;
    return add(name, op, {x});
  }
  NodeId shuffle(const std::string& name, NodeId x, int groups) {
    op::ChannelShuffle op;
    op.groups = groups;
    return add(name, op, {x});
  }
  /// margins: top, left, bottom, right
  NodeId pad(const std::string& name, NodeId x, std::vector<int> margins, op::Pad::Mode mode,
             float value = 0) {
    op::Pad op;
    op.top = margins[0];
    op.left = margins[1];
    op.bottom = margins[2];
    op.right = margins[3];
    op.mode = mode;
    op.value = value;
    return add(name, op, {x});
  }
  NodeId resize(const std::string& name, NodeId x, int height, int width, op::Resize::Mode mode,
                op::Resize::Coordinates coordinates) {
    op::Resize op;
    op.height = height;
    op.width = width;
    op.scale_h = static_cast<float>(height) / static_cast<float>(shape(x).height);
    op.scale_w = static_cast<float>(width) / static_cast<float>(shape(x).width);
    op.mode = mode;
    op.coordinates = coordinates;
    return add(name, op, {x});
  }
  NodeId apply(const std::string& name, const op::Activation& function, NodeId x) {
    return add(name, function, {x});
  }
  NodeId prelu(const std::string& name, NodeId x) {
    op::PRelu op;
    op.channels = shape(x).channels;
    return add(name, op, {x});
  }
  NodeId log_softmax(const std::string& name, NodeId x) {
    op::Softmax op;
    op.logarithm = true;
    return add(name, op, {x});
  }
  NodeId softmax(const std::string& name, NodeId x) { return add(name, op::Softmax{}, {x}); }
  NodeId opaque(const std::string& name, NodeId x, const std::string& type, const Shape& made) {
    op::Opaque op;
    op.type = type;
    op.shape = made;
    return add(name, op, {x});
  }
  NodeId global(const std::string& name, NodeId x) { return add(name, op::GlobalAveragePool{}, {x}); }
  NodeId sum(const std::string& name, NodeId a, NodeId b) { return add(name, op::Add{}, {a, b}); }
  NodeId product(const std::string& name, NodeId a, NodeId b) { return add(name, op::Mul{}, {a, b}); }
  NodeId concat(const std::string& name, std::vector<NodeId> inputs) {
    return add(name, op::Concat{}, std::move(inputs));
  }

  Graph build(std::vector<NodeId> outputs = {}) {
    return std::move(*this).Layers::build(std::move(outputs)).value();
  }
};

inline constexpr NodeId kImage = 0;
inline const Window kOne = Window::square(1);
inline const Window kTwo = Window::square(2, 2);
inline const Window kThree = Window::square(3, 1, 1);

/// A 3x3 window that sees every other pixel; the map keeps its size.
inline Window dilated() {
  Window window = Window::square(3, 1, 2);
  window.dilation_h = window.dilation_w = 2;
  return window;
}

}  // namespace concertina::testing
