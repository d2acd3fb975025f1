#include "graph/insert_norms.h"

#include <algorithm>

namespace concertina {
namespace {

/// By node, whether a batch norm reads it, or it is an output.
std::vector<bool> exempt_nodes(const Graph& graph) {
  std::vector<bool> exempt(static_cast<std::size_t>(graph.size()), false);
  for (const Node& node : graph.nodes()) {
    if (std::holds_alternative<op::BatchNorm>(node.op)) exempt[node.inputs[0]] = true;
  }
  for (const NodeId output : graph.outputs()) exempt[output] = true;
  return exempt;
}

std::string free_name(const Graph& graph, std::string name) {
  const auto taken = [&] {
    return std::any_of(graph.nodes().begin(), graph.nodes().end(),
                       [&](const Node& node) { return node.name == name; });
  };
  while (taken()) name += "_";
  return name;
}

void add_identity(const Node& node, Weights& weights) {
  const auto& norm = std::get<op::BatchNorm>(node.op);
  const auto fill = [&](const char* parameter, float value) {
    weights[node.name + "." + parameter] = {
        {norm.channels}, std::vector<float>(static_cast<std::size_t>(norm.channels), value)};
  };
  fill("weight", 1);
  fill("bias", 0);
  fill("running_mean", 0);
  fill("running_var", 1 - norm.epsilon);
}

}  // namespace

Network insert_norms(const Network& network, std::vector<InsertedNorm>* inserted) {
  const Graph& graph = network.graph;
  const std::vector<bool> exempt = exempt_nodes(graph);
  std::vector<NodeId> moved;  // old id -> the new id that its readers see
  std::vector<Node> nodes;
  Weights weights = network.weights;
  for (NodeId id = 0; id < graph.size(); ++id) {
    Node node = graph.node(id);
    for (NodeId& input : node.inputs) input = moved[input];
    moved.push_back(static_cast<NodeId>(nodes.size()));
    nodes.push_back(node);
    const auto* conv = std::get_if<op::Conv>(&node.op);
    const Shape& shape = graph.shape(id);
    if (!conv || !conv->bias || exempt[id] || shape.height * shape.width == 1) continue;
    op::BatchNorm norm;
    norm.channels = shape.channels;
    nodes.push_back({free_name(graph, node.name + ".norm"), norm, {moved.back()}});
    add_identity(nodes.back(), weights);
    if (inserted) inserted->push_back({node.name, nodes.back().name});
    ++moved.back();
  }
  std::vector<NodeId> outputs;
  for (const NodeId output : graph.outputs()) outputs.push_back(moved[output]);
  // A norm changes no shape, so the graph with it is as valid as it was.
  return {std::move(Graph::make(std::move(nodes), std::move(outputs))).value(), std::move(weights)};
}

}  // namespace concertina
