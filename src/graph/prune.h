#pragma once

#include <vector>

#include "graph/graph.h"

namespace concertina {

/// Drops the nodes that no output needs, except the network's inputs, and renumbers what is left, the outputs
/// too. Precondition: the nodes are in topological order.
void prune(std::vector<Node>& nodes, std::vector<NodeId>& outputs);

}  // namespace concertina
