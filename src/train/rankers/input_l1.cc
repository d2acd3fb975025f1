#include "train/rankers/rankers.h"

namespace concertina::train {

Importance input_l1_importance(const Graph& graph, const Tensors& weights) {
  ImportanceSum sum(graph);
  for_each_layer(graph, [&](NodeId id, const std::string& name) {
    const Node& node = graph.node(id);
    const torch::Tensor magnitude = weights.at(name).detach().abs();
    const ChannelAxis& read = graph.axis(node.inputs[0]);
    const auto* conv = std::get_if<op::Conv>(&node.op);
    if (conv && conv->depthwise()) {
      sum.add(read, magnitude.flatten(1).sum(1));  // filter c reads channel c
    } else if (!conv || conv->groups == 1) {
      sum.add(read, magnitude.transpose(0, 1).flatten(1).sum(1));
    }
  });
  return sum.result();
}

}  // namespace concertina::train
