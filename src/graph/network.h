#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "graph/shape.h"

namespace concertina {

/// A dense array of floats, last dimension fastest.
struct Array {
  std::vector<int> shape;
  std::vector<float> values;

  friend bool operator==(const Array&, const Array&) = default;
};

/// Arrays by name: "<node>.<parameter>", for example "stem.conv.weight".
using Weights = std::map<std::string, Array>;

/// A network at full size: structure and weights.
struct Network {
  Graph graph;
  Weights weights;
};

/// The arrays that a node owns, at full size: those it computes with, but for those it shares with an earlier
/// node. So over all nodes each array comes once.
std::vector<Parameter> parameters(const Graph& graph, NodeId id);

/// The name of an array that a node computes with: "<node>.<parameter>", the node being the array's owner.
std::string parameter_name(const Node& node, std::string_view parameter);
inline std::string parameter_name(const Node& node, const Parameter& parameter) {
  return parameter_name(node, parameter.name);
}

/// The parameter's shape in a sub-net.
std::vector<int> active_sizes(const Graph& graph, NodeId id, const Parameter& parameter,
                              const Subnet& subnet);

/// Fails unless `weights` has exactly the graph's arrays in their full shapes, with finite values. The
/// sentence names the array.
Status check_weights(const Graph& graph, const Weights& weights);

/// Reorders the channels of every free dimension (orders[d]: new position -> old channel), in all arrays that
/// produce, normalise or read them: the network computes the same function. `weights` may hold a part of the
/// graph's arrays (a sub-net's statistics, for example, at full width).
Weights permute_channels(const Graph& graph, const Weights& weights,
                         const std::vector<std::vector<int>>& orders);

/// The arrays of `weights`, each cut to what the sub-net keeps of it, without those of absent nodes.
/// `weights` may hold a part of the graph's.
Weights active_arrays(const Graph& graph, const Weights& weights, const Subnet& subnet);

/// A node's op at a sub-net's widths.
Op resized(const Graph& graph, NodeId id, const Subnet& subnet);

/// The sub-net as a network of its own: each array cut to its active part, and the graph's sizes with it.
/// `own` are arrays of the sub-net at its widths that replace the cut ones: its batch-norm statistics at
/// least.
Network extract(const Network& network, const Subnet& subnet, const Weights& own);

}  // namespace concertina
