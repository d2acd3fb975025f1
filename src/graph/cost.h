#pragma once

#include <cstdint>

#include "graph/graph.h"

namespace concertina {

/// What a sub-net costs for one image.
struct Cost {
  std::int64_t macs = 0;        ///< multiply-accumulates of convolutions and linear layers
  std::int64_t parameters = 0;  ///< trainable ones: weights, biases, batch norms' scale and shift
};

Cost cost(const Graph& graph, const Subnet& subnet);

/// Multiply-accumulates of one node for one image: above 0 for convolutions and linear layers only.
/// Preconditions: the node is not absent, and the graph is at the sub-net's resolution.
std::int64_t macs_of(const Graph& graph, NodeId id, const Subnet& subnet);

/// Multiply-accumulates of the nodes from `first` on.
std::int64_t macs_from(const Graph& graph, const Subnet& subnet, NodeId first);

}  // namespace concertina
