#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "concertina/result.h"
#include "concertina/subnet.h"
#include "graph/channels.h"
#include "graph/op.h"
#include "graph/shape.h"

namespace concertina {

/// One operation and where its inputs come from. Each node has one output value, known by the node's id.
struct Node {
  std::string name;
  Op op;
  std::vector<NodeId> inputs;
  /// Arrays that it shares: by parameter, the node whose array it uses. That node comes before it, is of the
  /// same kind and has an equal parameter of its own. Statistics are never shared.
  std::map<std::string, std::string> tied = {};

  friend bool operator==(const Node&, const Node&) = default;
};

/// A network's structure: nodes in topological order, with symbolic channel axes. It holds no weights and
/// never changes; shapes, costs and couplings of every sub-net are functions of it.
class Graph {
 public:
  /// Checks names, order, shapes and what is shared, and analyses the channels. The inputs come before all
  /// other nodes. `outputs`: the nodes whose values the network gives, the most important first; none: the
  /// last node. Fails with the name of the node that does not fit.
  static Result<Graph> make(std::vector<Node> nodes, std::vector<NodeId> outputs = {});

  std::span<const Node> nodes() const { return nodes_; }
  const Node& node(NodeId id) const { return nodes_[id]; }
  int size() const { return static_cast<int>(nodes_.size()); }
  int inputs() const { return inputs_; }
  std::span<const NodeId> outputs() const { return outputs_; }

  /// The first of each, often the only one.
  NodeId input() const { return 0; }
  NodeId output() const { return outputs_[0]; }

  /// Full-size shape of a node's value.
  const Shape& shape(NodeId id) const { return shapes_[id]; }

  const ChannelLayout& layout() const { return layout_; }
  const ChannelAxis& axis(NodeId id) const { return layout_.axes[id]; }

  friend bool operator==(const Graph& a, const Graph& b) {
    return a.nodes_ == b.nodes_ && a.outputs_ == b.outputs_;
  }

 private:
  friend Graph variant(const Graph& graph, const Subnet& subnet);
  friend Result<Graph> at_resolution(const Graph& graph, int resolution);
  Graph() = default;

  std::vector<Node> nodes_;
  int inputs_ = 0;  ///< the first so many nodes
  std::vector<NodeId> outputs_;
  std::vector<Shape> shapes_;
  ChannelLayout layout_;
};

/// All channels of every free dimension.
Subnet full_subnet(const Graph& graph);

/// Fails unless the sub-net has a width for each free dimension: from 1 to its channels, or 0 where all that
/// needs the channels is absent (graph/branches.h); and unless the network runs at its resolution
/// (graph/resolution.h).
Status check_subnet(const Graph& graph, const Subnet& subnet);

/// Shape of a node's value in a sub-net; its rows and columns are those of the graph. Precondition, here and
/// below: check_subnet() accepts it.
Shape active_shape(const Graph& graph, NodeId id, const Subnet& subnet);

/// By node, who reads its value, once for each time.
std::vector<std::vector<NodeId>> readers_by_node(const Graph& graph);

/// Values of one image, over all inputs and over all outputs; more than one lie one after another.
std::int64_t input_elements(const Graph& graph);
std::int64_t output_elements(const Graph& graph);

/// Builds a node list step by step; the checks come with Graph::make().
class GraphBuilder {
 public:
  NodeId add(std::string name, Op op, std::vector<NodeId> inputs = {}) {
    nodes_.push_back({std::move(name), std::move(op), std::move(inputs)});
    return static_cast<NodeId>(nodes_.size()) - 1;
  }
  /// The node uses trained arrays of an earlier one: all, or one.
  void tie(NodeId id, NodeId owner, std::string_view one = {}) {
    for (const Parameter& parameter : parameters_of(nodes_[id].op)) {
      const bool meant = one.empty() ? parameter.trainable : parameter.name == one;
      if (meant) nodes_[id].tied[parameter.name] = nodes_[owner].name;
    }
  }
  Result<Graph> build(std::vector<NodeId> outputs = {}) && {
    return Graph::make(std::move(nodes_), std::move(outputs));
  }

 private:
  std::vector<Node> nodes_;
};

}  // namespace concertina
