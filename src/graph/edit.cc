#include "graph/edit.h"

#include "base/try.h"

namespace concertina {
namespace {

/// By node, whether an output needs it.
std::vector<bool> needed_nodes(const Graph& graph, const std::vector<NodeId>& outputs) {
  std::vector<bool> needed(static_cast<std::size_t>(graph.size()), false);
  for (const NodeId output : outputs) needed[static_cast<std::size_t>(output)] = true;
  for (NodeId id = graph.size() - 1; id >= 0; --id) {
    if (!needed[static_cast<std::size_t>(id)]) continue;
    for (const NodeId input : graph.node(id).inputs) needed[static_cast<std::size_t>(input)] = true;
  }
  return needed;
}

void take_arrays(const Graph& graph, NodeId id, const Weights& from, Weights& to) {
  for (const Parameter& parameter : parameters(graph, id)) {
    const auto found = from.find(parameter_name(graph.node(id), parameter));
    if (found != from.end()) to.insert(*found);
  }
}

}  // namespace

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
  const Graph& graph = network.graph;
  const std::vector<bool> needed = needed_nodes(graph, outputs);
  std::vector<NodeId> moved(needed.size(), -1);  // old id -> new id
  std::vector<Node> nodes;
  Weights weights;
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (!needed[static_cast<std::size_t>(id)]) continue;
    moved[static_cast<std::size_t>(id)] = static_cast<NodeId>(nodes.size());
    Node node = graph.node(id);
    for (NodeId& input : node.inputs) input = moved[static_cast<std::size_t>(input)];
    nodes.push_back(std::move(node));
    take_arrays(graph, id, network.weights, weights);
  }
  std::vector<NodeId> kept;
  for (const NodeId output : outputs) kept.push_back(moved[static_cast<std::size_t>(output)]);
  // A part of a valid graph that holds all it reads is valid.
  return {std::move(Graph::make(std::move(nodes), std::move(kept))).value(), std::move(weights)};
}

Result<Network> resize_classifier(Network network, int outputs) {
  const NodeId last = find_classifier(network.graph);
  if (last == network.graph.size()) return Error{"the network has no classifier: no layer makes its output"};
  std::vector<Node> nodes(network.graph.nodes().begin(), network.graph.nodes().end());
  Node& node = nodes[static_cast<std::size_t>(last)];
  if (auto* linear = std::get_if<op::Linear>(&node.op)) linear->out_features = outputs;
  if (auto* conv = std::get_if<op::Conv>(&node.op)) conv->out_channels = outputs;
  for (const Parameter& parameter : parameters(network.graph, last)) {
    network.weights.erase(parameter_name(node, parameter));
  }
  const std::span<const NodeId> listed = network.graph.outputs();
  CONCERTINA_ASSIGN(network.graph, Graph::make(std::move(nodes), {listed.begin(), listed.end()}));
  return network;
}

}  // namespace concertina
