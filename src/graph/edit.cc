#include "graph/edit.h"

#include "base/try.h"
#include "graph/prune.h"

namespace concertina {

NodeId find_classifier(const Graph& graph) {
  NodeId id = graph.output();
  while (!graph.node(id).inputs.empty()) {
    const Op& op = graph.node(id).op;
    if (std::holds_alternative<op::Conv>(op) || std::holds_alternative<op::Linear>(op)) return id;
    id = graph.node(id).inputs[0];
  }
  return graph.size();
}

Network keep_outputs(const Network& network, const std::vector<NodeId>& outputs) {
  const std::span<const Node> all = network.graph.nodes();
  std::vector<Node> nodes(all.begin(), all.end());
  std::vector<NodeId> kept = outputs;
  prune(nodes, kept, /*inputs_too=*/true);
  Weights weights;
  for (const Node& node : nodes) {
    for (const Parameter& parameter : std::visit([](const auto& op) { return op.parameters(); }, node.op)) {
      const auto found = network.weights.find(parameter_name(node, parameter));
      if (found != network.weights.end()) weights.insert(*found);
    }
  }
  // A part of a valid graph that holds all it reads is valid.
  return {std::move(Graph::make(std::move(nodes), std::move(kept))).value(), std::move(weights)};
}

Result<Network> resize_classifier(Network network, int outputs) {
  const NodeId last = find_classifier(network.graph);
  if (last == network.graph.size()) return Error{"the network has no classifier: no layer makes its output"};
  std::vector<Node> nodes(network.graph.nodes().begin(), network.graph.nodes().end());
  Node& node = nodes[last];
  if (auto* linear = std::get_if<op::Linear>(&node.op)) linear->out_features = outputs;
  if (auto* conv = std::get_if<op::Conv>(&node.op)) conv->out_channels = outputs;
  for (const Parameter& parameter : parameters(network.graph, last)) {
    network.weights.erase(parameter_name(node, parameter));
  }
  const std::span<const NodeId> listed = network.graph.outputs();
  ASSIGN_OR_RETURN(network.graph, Graph::make(std::move(nodes), {listed.begin(), listed.end()}));
  return network;
}

}  // namespace concertina
