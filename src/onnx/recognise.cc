#include "onnx/recognise.h"

#include <algorithm>
#include <cmath>

namespace concertina::onnx {
namespace {

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

void recognise_functions(std::vector<Node>& nodes, const Weights& weights,
                         const std::vector<NodeId>& outputs) {
  Recogniser(nodes, weights, outputs).run();
}

}  // namespace concertina::onnx
