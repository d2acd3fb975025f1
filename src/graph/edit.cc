#include "graph/edit.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/try.h"

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

/// Arrays of nodes that are not `kept` go to the first that uses them and is.
void hand_on(std::vector<Node>& nodes, const std::vector<bool>& kept, Weights& weights) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (kept[i]) names.insert(nodes[i].name);
  }
  std::map<std::string, std::string> heirs;  // by array
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    Node& node = nodes[i];
    if (!kept[i]) continue;
    for (const auto& [parameter, owner] : std::map(node.tied)) {
      if (names.contains(owner)) continue;
      const std::string array = parameter_name(node, parameter);
      const auto [heir, first] = heirs.try_emplace(array, node.name);
      if (!first) {
        node.tied[parameter] = heir->second;
        continue;
      }
      node.tied.erase(parameter);
      auto inherited = weights.extract(array);
      if (inherited.empty()) continue;
      inherited.key() = parameter_name(node, parameter);
      weights.insert(std::move(inherited));
    }
  }
}

}  // namespace

void prune(std::vector<Node>& nodes, std::vector<NodeId>& outputs, Weights& weights, bool inputs_too) {
  std::vector<bool> needed(nodes.size(), false);
  for (const NodeId output : outputs) needed[output] = true;
  for (std::size_t i = nodes.size(); i-- > 0;) {
    if (!inputs_too && std::holds_alternative<op::Input>(nodes[i].op)) needed[i] = true;
    if (!needed[i]) continue;
    for (const NodeId input : nodes[i].inputs) needed[input] = true;
  }
  hand_on(nodes, needed, weights);
  std::vector<NodeId> moved(nodes.size(), -1);
  std::vector<Node> kept;
  std::set<std::string> arrays;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!needed[i]) continue;
    moved[i] = static_cast<NodeId>(kept.size());
    for (NodeId& input : nodes[i].inputs) input = moved[input];
    for (const Parameter& parameter : parameters_of(nodes[i].op))
      arrays.insert(parameter_name(nodes[i], parameter));
    kept.push_back(std::move(nodes[i]));
  }
  std::erase_if(weights, [&](const auto& entry) { return !arrays.contains(entry.first); });
  for (NodeId& output : outputs) output = moved[output];
  nodes = std::move(kept);
}

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
  Weights weights = network.weights;
  prune(nodes, kept, weights, /*inputs_too=*/true);
  // A part of a valid graph that holds all it reads is valid.
  return {std::move(Graph::make(std::move(nodes), std::move(kept))).value(), std::move(weights)};
}

Result<Network> resize_classifier(Network network, int outputs) {
  const NodeId last = find_classifier(network.graph);
  if (last == network.graph.size()) return Error{"the network has no classifier: no layer makes its output"};
  std::vector<Node> nodes(network.graph.nodes().begin(), network.graph.nodes().end());
  Node& node = nodes[last];
  node.tied.clear();
  std::vector<bool> others(nodes.size(), true);
  others[last] = false;
  hand_on(nodes, others, network.weights);
  if (auto* linear = std::get_if<op::Linear>(&node.op)) linear->out_features = outputs;
  if (auto* conv = std::get_if<op::Conv>(&node.op)) conv->out_channels = outputs;
  for (const Parameter& parameter : parameters_of(node.op))
    network.weights.erase(parameter_name(node, parameter));
  const std::span<const NodeId> listed = network.graph.outputs();
  ASSIGN_OR_RETURN(network.graph, Graph::make(std::move(nodes), {listed.begin(), listed.end()}));
  return network;
}

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
