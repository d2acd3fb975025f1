#pragma once

#include <string>
#include <utility>
#include <vector>

#include "graph/graph.h"

namespace concertina::testing {

/// Builds the networks of the tests.
class Net {
 public:
  explicit Net(const Shape& shape) { input("image", shape); }

  NodeId input(const std::string& name, const Shape& shape) {
    op::Input op;
    op.shape = shape;
    return builder_.add(name, op);
  }
  NodeId conv(const std::string& name, NodeId x, int in, int out, Window window, int groups = 1,
              bool bias = true) {
    op::Conv op;
    op.in_channels = in;
    op.out_channels = out;
    op.window = window;
    op.groups = groups;
    op.bias = bias;
    return builder_.add(name, op, {x});
  }
  NodeId norm(const std::string& name, NodeId x, int channels) {
    op::BatchNorm op;
    op.channels = channels;
    op.epsilon = 1e-3F;
    return builder_.add(name, op, {x});
  }
  NodeId linear(const std::string& name, NodeId x, int in, int out, bool bias = true) {
    op::Linear op;
    op.in_features = in;
    op.out_features = out;
    op.bias = bias;
    return builder_.add(name, op, {x});
  }
  NodeId flatten(const std::string& name, NodeId x, int pixels) {
    op::Flatten op;
    op.pixels = pixels;
    return builder_.add(name, op, {x});
  }
  NodeId average(const std::string& name, NodeId x, Window window, bool count_padding) {
    op::AveragePool op;
    op.window = window;
    op.count_padding = count_padding;
    return builder_.add(name, op, {x});
  }
  NodeId max(const std::string& name, NodeId x, Window window) {
    op::MaxPool op;
    op.window = window;
    return builder_.add(name, op, {x});
  }
  NodeId scale(const std::string& name, NodeId x, int channels) {
    op::Scale op;
    op.channels = channels;
    return builder_.add(name, op, {x});
  }
  NodeId shift(const std::string& name, NodeId x, int channels) {
    op::Shift op;
    op.channels = channels;
    return builder_.add(name, op, {x});
  }
  NodeId slice(const std::string& name, NodeId x, int begin, int end) {
    op::Slice op;
    op.begin = begin;
    op.end = end;
    return builder_.add(name, op, {x});
  }
  NodeId shuffle(const std::string& name, NodeId x, int groups) {
    op::ChannelShuffle op;
    op.groups = groups;
    return builder_.add(name, op, {x});
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
    return builder_.add(name, op, {x});
  }
  NodeId resize(const std::string& name, NodeId x, const Shape& from, int height, int width,
                op::Resize::Mode mode, op::Resize::Coordinates coordinates) {
    op::Resize op;
    op.height = height;
    op.width = width;
    op.scale_h = static_cast<float>(height) / static_cast<float>(from.height);
    op.scale_w = static_cast<float>(width) / static_cast<float>(from.width);
    op.mode = mode;
    op.coordinates = coordinates;
    return builder_.add(name, op, {x});
  }
  NodeId global(const std::string& name, NodeId x) {
    return builder_.add(name, op::GlobalAveragePool{}, {x});
  }
  NodeId concat(const std::string& name, std::vector<NodeId> inputs) {
    return builder_.add(name, op::Concat{}, std::move(inputs));
  }
  NodeId add(const std::string& name, Op op, std::vector<NodeId> inputs) {
    return builder_.add(name, std::move(op), std::move(inputs));
  }
  Graph build(std::vector<NodeId> outputs = {}) { return *std::move(builder_).build(std::move(outputs)); }

 private:
  GraphBuilder builder_;
};

inline constexpr NodeId kImage = 0;
inline const Window kOne = Window::square(1);
inline const Window kThree = Window::square(3, 1, 1);

/// A 3x3 window that sees every other pixel; the map keeps its size.
inline Window dilated() {
  Window window = Window::square(3, 1, 2);
  window.dilation_h = window.dilation_w = 2;
  return window;
}

}  // namespace concertina::testing
