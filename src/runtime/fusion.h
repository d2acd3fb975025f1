#pragma once

#include <vector>

#include "runtime/program.h"

namespace concertina::runtime {

/// Nodes that one kernel computes together: all but the last have a single reader, the next.
struct Chain {
  NodeId start = kNone;
  NodeId norm = kNone;  ///< after a convolution or linear layer
  NodeId add = kNone;   ///< after those
  kernels::Activation act = kernels::Activation::kNone;
  NodeId end = kNone;
};

/// Every node that the output depends on, in exactly one chain; ordered by the chains' ends, so that each
/// comes after what it reads.
std::vector<Chain> find_chains(const Graph& graph);

}  // namespace concertina::runtime
