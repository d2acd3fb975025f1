#include "train/rankers/importance.h"

#include <algorithm>
#include <numeric>

namespace concertina::train {

std::vector<std::vector<int>> importance_order(const Importance& importance) {
  std::vector<std::vector<int>> orders;
  for (const std::vector<double>& scores : importance) {
    std::vector<int> order(scores.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return scores[a] > scores[b]; });
    orders.push_back(std::move(order));
  }
  return orders;
}

ImportanceSum::ImportanceSum(const Graph& graph, bool by_mean) : graph_(graph), by_mean_(by_mean) {
  for (int d = 0; d < graph.layout().free_dimensions; ++d) {
    sums_.push_back(torch::zeros({graph.layout().dimensions[d].channels}, torch::kDouble));
  }
}

void ImportanceSum::add(const ChannelAxis& axis, const torch::Tensor& scores) {
  const torch::Tensor all = scores.detach().to(torch::kCPU, torch::kDouble);
  std::int64_t begin = 0;
  for (const auto& [dimension, repeat] : axis) {
    const std::int64_t channels = graph_.layout().dimensions[dimension].channels;
    if (dimension < graph_.layout().free_dimensions) {
      const torch::Tensor part = all.narrow(0, begin, channels * repeat).view({channels, repeat}).sum(1);
      sums_[dimension] += by_mean_ ? part / part.mean().clamp_min(1e-30) : part;
    }
    begin += channels * repeat;
  }
}

Importance ImportanceSum::result() const {
  Importance importance;
  for (const torch::Tensor& sum : sums_) {
    const auto* data = sum.data_ptr<double>();
    importance.emplace_back(data, data + sum.numel());
  }
  return importance;
}

void for_each_layer(const Graph& graph, const std::function<void(NodeId, const std::string& weight)>& visit) {
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    const bool layer =
        std::holds_alternative<op::Conv>(node.op) || std::holds_alternative<op::Linear>(node.op);
    if (layer && !node.tied.contains("weight")) visit(id, node.name + ".weight");
  }
}

}  // namespace concertina::train
