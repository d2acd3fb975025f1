#pragma once

#include <string>

#include "graph/graph.h"
#include "graph/networks/networks.h"

namespace concertina::networks {

/// Adds layers one after another and follows the shape, so that a network reads as its list of layers.
class Layers {
 public:
  Layers() = default;
  explicit Layers(const NetworkSpec& spec) : width_(spec.width) { add_input("input", spec.input); }

  /// spec.width times the channels, at least 1.
  int scaled(int channels) const;

  NodeId input() const { return 0; }
  /// Inputs come before all layers.
  NodeId add_input(const std::string& name, const Shape& shape);
  NodeId add(const std::string& name, Op op, std::vector<NodeId> inputs);
  NodeId conv(const std::string& name, NodeId x, int out_channels, Window window = {}, int groups = 1,
              bool bias = true);
  /// conv + bn; the convolution, without a bias, is <name>, the norm <name>_bn.
  NodeId conv_bn(const std::string& name, NodeId x, int out_channels, Window window, int groups = 1);
  NodeId conv_bn_relu(const std::string& name, NodeId x, int out_channels, Window window, int groups = 1);
  NodeId max_pool(const std::string& name, NodeId x, Window window);
  NodeId flatten(const std::string& name, NodeId x);
  NodeId linear(const std::string& name, NodeId x, int out_features, bool bias = true);
  NodeId relu(const std::string& name, NodeId x) { return add(name, op::relu(), {x}); }
  /// The layer uses trained arrays of an earlier one: all, or one.
  void tie(NodeId id, NodeId owner, std::string_view one = {}) { builder_.tie(id, owner, one); }
  /// Global average pool, flatten and the linear layer "fc" to the classes.
  NodeId classify(NodeId x, int classes);

  /// `outputs`: none: the last layer.
  Result<Graph> build(std::vector<NodeId> outputs = {}) && {
    return std::move(builder_).build(std::move(outputs));
  }

 protected:
  const Shape& shape(NodeId id) const { return shapes_[id]; }

 private:
  double width_ = 1;
  GraphBuilder builder_;
  std::vector<Shape> shapes_;
};

}  // namespace concertina::networks
