#pragma once

#include <vector>

#include "runtime/program.h"

namespace concertina::runtime {

/// Nodes that one kernel computes together: all but the last have a single reader, the next, and are no
/// output of the network.
struct Chain {
  NodeId start = kNone;
  std::vector<NodeId> affine = {};  ///< batch norms, scales and shifts after it
  NodeId add = kNone;               ///< after those, of values of one shape
  kernels::FusedActivation act = kernels::FusedActivation::none;
  NodeId end = kNone;
};

/// Every node that an output depends on, in exactly one chain; ordered by the chains' ends, so that each
/// comes after what it reads.
std::vector<Chain> find_chains(const Graph& graph);

}  // namespace concertina::runtime
