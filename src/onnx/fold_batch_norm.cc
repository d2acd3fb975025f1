#include "onnx/fold_batch_norm.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace concertina::onnx {
namespace {

const std::vector<float>& values(const Weights& weights, const std::string& node, const char* parameter) {
  return weights.at(node + "." + parameter).values;
}

// weight * s, (bias - mean) * s + shift with s = scale / sqrt(var + epsilon), per output channel.
void fold(const Weights& weights, const Node& conv, const Node& norm, const std::string& name,
          Weights& folded) {
  Array weight = weights.at(conv.name + ".weight");
  const std::size_t channels = static_cast<std::size_t>(weight.shape[0]);
  const std::size_t taps = weight.values.size() / channels;
  const float* conv_bias =
      std::get<op::Conv>(conv.op).bias ? values(weights, conv.name, "bias").data() : nullptr;
  const double epsilon = std::get<op::BatchNorm>(norm.op).epsilon;
  Array bias{.shape = {weight.shape[0]}, .values = std::vector<float>(channels)};
  for (std::size_t k = 0; k < channels; ++k) {
    const double scale = values(weights, norm.name, "weight")[k] /
                         std::sqrt(values(weights, norm.name, "running_var")[k] + epsilon);
    const double centred = (conv_bias ? conv_bias[k] : 0.0) - values(weights, norm.name, "running_mean")[k];
    bias.values[k] = static_cast<float>(centred * scale + values(weights, norm.name, "bias")[k]);
    for (std::size_t i = k * taps; i < (k + 1) * taps; ++i) {
      weight.values[i] = static_cast<float>(weight.values[i] * scale);
    }
  }
  folded.erase(conv.name + ".weight");
  folded.erase(conv.name + ".bias");
  folded.insert_or_assign(name + ".weight", std::move(weight));
  folded.insert_or_assign(name + ".bias", std::move(bias));
}

std::vector<int> reader_counts(const Graph& graph) {
  std::vector<int> counts(static_cast<std::size_t>(graph.size()), 0);
  for (const Node& node : graph.nodes()) {
    for (const NodeId input : node.inputs) ++counts[input];
  }
  for (const NodeId output : graph.outputs()) ++counts[output];
  return counts;
}

/// Names of nodes that share arrays. What is folded for one of them would be wrong for the others.
std::set<std::string> find_sharing(const Graph& graph) {
  std::set<std::string> names;
  for (const Node& node : graph.nodes()) {
    for (const auto& [parameter, owner] : node.tied) {
      names.insert(node.name);
      names.insert(owner);
    }
  }
  return names;
}

}  // namespace

Network fold_batch_norm(const Network& network) {
  const std::vector<int> readers = reader_counts(network.graph);
  const std::set<std::string> sharing = find_sharing(network.graph);
  std::vector<NodeId> moved;  // old id -> new id
  std::vector<Node> nodes;
  Weights weights;
  const std::span<const NodeId> listed = network.graph.outputs();
  const std::set<NodeId> outputs(listed.begin(), listed.end());  // they keep their names
  for (NodeId id = 0; id < network.graph.size(); ++id) {
    const Node& old = network.graph.node(id);
    const NodeId source = old.inputs.empty() ? 0 : old.inputs[0];
    const Node& producer = network.graph.node(source);
    if (std::holds_alternative<op::BatchNorm>(old.op) && std::holds_alternative<op::Conv>(producer.op) &&
        readers[source] == 1 && !sharing.contains(old.name) && !sharing.contains(producer.name)) {
      moved.push_back(moved[source]);
      Node& folded = nodes[moved.back()];
      std::get<op::Conv>(folded.op).bias = true;
      if (outputs.contains(id)) folded.name = old.name;
      fold(network.weights, producer, old, folded.name, weights);
      continue;
    }
    Node node = old;
    for (NodeId& input : node.inputs) input = moved[input];
    for (const Parameter& parameter : parameters(network.graph, id)) {
      const std::string name = parameter_name(node, parameter);
      weights.emplace(name, network.weights.at(name));
    }
    moved.push_back(static_cast<NodeId>(nodes.size()));
    nodes.push_back(std::move(node));
  }
  // A norm changes no shape, so the graph without it is as valid as it was.
  std::vector<NodeId> moved_outputs;
  for (const NodeId output : listed) moved_outputs.push_back(moved[output]);
  return {std::move(Graph::make(std::move(nodes), std::move(moved_outputs))).value(), std::move(weights)};
}

}  // namespace concertina::onnx
