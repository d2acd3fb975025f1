#include "base/random.h"
#include "train/rankers/rankers.h"

namespace concertina::train {
namespace {

std::size_t channels_of(const Graph& graph, int dimension) {
  return static_cast<std::size_t>(graph.layout().dimensions[dimension].channels);
}

}  // namespace

Importance filter_l1_importance(const Graph& graph, const Tensors& weights) {
  ImportanceSum sum(graph);
  for_each_layer(graph, [&](NodeId id, const std::string& weight) {
    sum.add(graph.axis(id), weights.at(weight).detach().abs().flatten(1).sum(1));
  });
  return sum.result();
}

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

Importance norm_scale_importance(const Graph& graph, const Tensors& weights) {
  ImportanceSum sum(graph);
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (!std::holds_alternative<op::BatchNorm>(node.op) || node.tied.contains("weight")) continue;
    sum.add(graph.axis(id), weights.at(node.name + ".weight").detach().abs());
  }
  return sum.result();
}

Importance random_importance(const Graph& graph, std::uint64_t seed) {
  Importance importance;
  for (int d = 0; d < graph.layout().free_dimensions; ++d) {
    const CounterRandom random(seed, static_cast<std::uint64_t>(d));
    auto& scores = importance.emplace_back();
    for (std::uint64_t c = 0; c < channels_of(graph, d); ++c) scores.push_back(random.uniform(c));
  }
  return importance;
}

Importance equal_importance(const Graph& graph) {
  Importance importance;
  for (int d = 0; d < graph.layout().free_dimensions; ++d)
    importance.emplace_back(channels_of(graph, d), 1.0);
  return importance;
}

}  // namespace concertina::train
