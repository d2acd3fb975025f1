#pragma once

#include <vector>

#include "runtime/program.h"

namespace concertina::runtime {

/// Nodes that one kernel computes together: all but the last are no output of the network, and only nodes of
/// the chain read them.
struct Chain {
  NodeId start = kNone;
  std::vector<NodeId> affine = {};  ///< batch norms, scales and shifts after it
  NodeId add = kNone;               ///< after those, of values of one shape
  kernels::FusedActivation act = kernels::FusedActivation::none;
  kernels::PointwiseFunction function = {};  ///< after those, or in place of the op it begins with
  NodeId slopes = kNone;                     ///< the function is this PRelu
  NodeId end = kNone;
};

/// Which nodes become one chain.
enum class Fusion {
  all,  ///< as many as can
  none  ///< each alone, so that every node's value is in memory
};

/// Every node that an output depends on, in exactly one chain; ordered by the chains' ends, so that each
/// comes after what it reads.
std::vector<Chain> find_chains(const Graph& graph, Fusion fusion = Fusion::all);

}  // namespace concertina::runtime
