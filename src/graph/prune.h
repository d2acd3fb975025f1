#pragma once

#include <vector>

#include "graph/graph.h"

namespace concertina {

/// Drops the nodes that no output needs, its inputs only if asked to, and renumbers what is left, the outputs
/// too. Precondition: the nodes are in topological order.
void prune(std::vector<Node>& nodes, std::vector<NodeId>& outputs, bool inputs_too);

}  // namespace concertina
