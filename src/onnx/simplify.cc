#include "onnx/simplify.h"

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

constexpr float kSixth = 1.0F / 6;

bool close(float a, float b) {
  return std::abs(a - b) <= 1e-6F;
}

class Recogniser {
 public:
  Recogniser(std::vector<Node>& nodes, const Weights& weights, const std::vector<NodeId>& outputs)
      : nodes_(nodes), weights_(weights), readers_(nodes.size(), 0) {
    for (const Node& node : nodes) {
      for (const NodeId input : node.inputs) ++readers_[input];
    }
    for (const NodeId output : outputs) ++readers_[output];
  }

  void run() {
    for (Node& node : nodes_) {
      if (const NodeId x = sixth_of_clip(node); x >= 0) {
        become(node, op::activation(op::Function::hard_sigmoid, kSixth, 0.5F), x);
      } else if (const NodeId y = gated(node, [&](NodeId gate) { return gate_of_sigmoid(gate); }); y >= 0) {
        become(node, op::activation(op::Function::hard_swish), y);
      } else if (const NodeId z = sixth_of_gated(node); z >= 0) {
        become(node, op::activation(op::Function::hard_swish), z);
      }
    }
  }

 private:
  static void become(Node& node, op::Activation op, NodeId input) {
    node.op = op;
    node.inputs = {input};
  }

  const Node& at(NodeId id) const { return nodes_[id]; }
  bool read_once(NodeId id) const { return readers_[id] == 1; }

  bool all_are(const Node& node, const char* array, float value) const {
    const std::vector<float>& values = weights_.at(node.name + array).values;
    return std::all_of(values.begin(), values.end(), [&](float v) { return close(v, value); });
  }

  /// x if the node is clip(x + 3, 0, 6), otherwise -1.
  NodeId clip_of_three_more(NodeId id) const {
    const auto* clip = std::get_if<op::Activation>(&at(id).op);
    if (clip == nullptr || !clip->is_relu6() || !read_once(id)) return -1;
    const NodeId shift = at(id).inputs[0];
    const bool three =
        std::holds_alternative<op::Shift>(at(shift).op) && read_once(shift) && all_are(at(shift), ".bias", 3);
    return three ? at(shift).inputs[0] : -1;
  }

  bool is_sixth(const Node& node) const {
    return std::holds_alternative<op::Scale>(node.op) && all_are(node, ".weight", kSixth);
  }

  /// x if the node is clip(x + 3, 0, 6) / 6.
  NodeId sixth_of_clip(const Node& node) const {
    return is_sixth(node) ? clip_of_three_more(node.inputs[0]) : -1;
  }

  NodeId gate_of_sigmoid(NodeId id) const {
    const auto* gate = std::get_if<op::Activation>(&at(id).op);
    const bool sigmoid = gate != nullptr && gate->function == op::Function::hard_sigmoid &&
                         close(gate->a, kSixth) && close(gate->b, 0.5F) && read_once(id);
    return sigmoid ? at(id).inputs[0] : -1;
  }

  /// x if the node is x * gate(x), in either order.
  template <typename Gate>
  NodeId gated(const Node& node, Gate gate) const {
    if (!std::holds_alternative<op::Mul>(node.op)) return -1;
    for (const int i : {0, 1}) {
      const NodeId x = node.inputs[i], other = node.inputs[1 - i];
      if (gate(other) == x) return x;
    }
    return -1;
  }

  /// x if the node is x * clip(x + 3, 0, 6) / 6.
  NodeId sixth_of_gated(const Node& node) const {
    if (!is_sixth(node) || !read_once(node.inputs[0])) return -1;
    return gated(at(node.inputs[0]), [&](NodeId gate) { return clip_of_three_more(gate); });
  }

  std::vector<Node>& nodes_;
  const Weights& weights_;
  std::vector<int> readers_;  ///< by node
};

}  // namespace

Network fold_batch_norm(const Network& network) {
  const std::vector<int> readers = reader_counts(network.graph);
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
        readers[source] == 1) {
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

void recognise_functions(std::vector<Node>& nodes, const Weights& weights,
                         const std::vector<NodeId>& outputs) {
  Recogniser(nodes, weights, outputs).run();
}

}  // namespace concertina::onnx
