#pragma once

#include <vector>

#include "graph/network.h"

namespace concertina {

/// The convolution or linear layer that makes the first output's channels; graph.size() if none does.
NodeId find_classifier(const Graph& graph);

/// The network that gives these outputs only, without the nodes and inputs that no output needs.
/// Precondition: the outputs are nodes of the network and no inputs.
Network keep_outputs(const Network& network, const std::vector<NodeId>& outputs);

/// The network whose classifier has so many outputs. The new classifier's arrays are missing in the weights.
/// Fails if there is no classifier or what comes after it does not fit.
Result<Network> resize_classifier(Network network, int outputs);

}  // namespace concertina
