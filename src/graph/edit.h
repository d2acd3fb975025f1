#pragma once

#include <string>
#include <vector>

#include "graph/network.h"

/// Networks made of others.
namespace concertina {

/// The convolution or linear layer that makes the first output's channels; graph.size() if none does.
NodeId find_classifier(const Graph& graph);

/// The network that gives these outputs only, without the nodes and inputs that no output needs.
/// Precondition: the outputs are nodes of the network and no inputs.
Network keep_outputs(const Network& network, const std::vector<NodeId>& outputs);

/// The network whose classifier has so many outputs. The new classifier's arrays, which it shares with no
/// other layer, are missing in the weights. Fails if there is no classifier or what comes after it does not
/// fit.
Result<Network> resize_classifier(Network network, int outputs);

/// A convolution that insert_norms() gives a batch norm, and that norm.
struct InsertedNorm {
  std::string conv;
  std::string norm;
};

/// Exporters fold batch norms into convolutions; this puts them back, so that every sub-net can have
/// statistics of its own. Every convolution that has a bias and a map of more than one pixel, that no batch
/// norm follows and that is not an output itself gets a batch norm "<conv>.norm" behind it, with identity
/// arrays: mean 0, variance 1 - epsilon, weight 1, bias 0. The function stays the same. `inserted`, if given,
/// lists them. Arrays that the weights do not have are none's concern.
Network insert_norms(const Network& network, std::vector<InsertedNorm>* inserted = nullptr);

/// Drops the nodes that no output needs, its inputs only if asked to, with their arrays, and renumbers what
/// is left, the outputs too. An array that is still used but whose owner goes becomes its first user's.
/// Precondition: the nodes are in topological order.
void prune(std::vector<Node>& nodes, std::vector<NodeId>& outputs, Weights& weights, bool inputs_too);

}  // namespace concertina
