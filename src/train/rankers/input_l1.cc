#include "train/rankers/rankers.h"

namespace concertina::train {

Importance input_l1_importance(const Graph& graph, const Tensors& weights) {
  ImportanceSum sum(graph);
  for_each_layer(graph, [&](NodeId id, const std::string& name) {
    const Node& node = graph.node(id);
    const torch::Tensor magnitude = weights.at(name).detach().abs();
    const auto* conv = std::get_if<op::Conv>(&node.op);
    const std::int64_t groups = conv ? conv->groups : 1;
    // A group's filters read its own channels only: [group][filter][channel][tap] -> [group * channel].
    const torch::Tensor grouped =
        magnitude.reshape({groups, magnitude.size(0) / groups, magnitude.size(1), -1});
    sum.add(graph.axis(node.inputs[0]), grouped.sum({1, 3}).flatten());
  });
  return sum.result();
}

}  // namespace concertina::train
