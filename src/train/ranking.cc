#include "train/ranking.h"

#include <algorithm>
#include <numeric>

#include "base/random.h"

namespace concertina::train {
namespace {

std::vector<double> to_doubles(const torch::Tensor& tensor) {
  const torch::Tensor plain = tensor.detach().to(torch::kCPU, torch::kDouble).contiguous();
  const auto* data = plain.data_ptr<double>();
  return {data, data + plain.numel()};
}

int channels_of(const Graph& graph, int dimension) {
  return graph.layout().dimensions[static_cast<std::size_t>(dimension)].channels;
}

/// Adds a layer's filter norms to the channels of each free dimension that it produces.
void add_filter_norms(const Graph& graph, NodeId id, const torch::Tensor& weight,
                      std::vector<torch::Tensor>& sums) {
  const torch::Tensor norms = weight.detach().abs().flatten(1).sum(1).to(torch::kCPU);
  std::int64_t begin = 0;
  for (const auto& [dimension, repeat] : graph.axis(id)) {
    const std::int64_t channels = channels_of(graph, dimension);
    if (dimension < graph.layout().free_dimensions) {
      const torch::Tensor part = norms.narrow(0, begin, channels * repeat).view({channels, repeat}).sum(1);
      sums[static_cast<std::size_t>(dimension)] += part / part.mean().clamp_min(1e-12);
    }
    begin += channels * repeat;
  }
}

}  // namespace

Importance l1_importance(const Graph& graph, const Tensors& weights) {
  std::vector<torch::Tensor> sums;
  for (int d = 0; d < graph.layout().free_dimensions; ++d)
    sums.push_back(torch::zeros({channels_of(graph, d)}));
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (!std::holds_alternative<op::Conv>(node.op) && !std::holds_alternative<op::Linear>(node.op)) continue;
    add_filter_norms(graph, id, weights.at(node.name + ".weight"), sums);
  }
  Importance importance;
  for (const torch::Tensor& sum : sums) importance.push_back(to_doubles(sum));
  return importance;
}

Importance noise_importance(const NoiseScales& noise, RemoveFirst remove_first) {
  Importance importance;
  for (const torch::Tensor& scale : noise.scales()) {
    importance.push_back(to_doubles(scale));
    for (double& a : importance.back())
      a = remove_first == RemoveFirst::largest_noise ? 1 / (a * a + 1e-12) : a * a;
  }
  return importance;
}

Importance random_importance(const Graph& graph, std::uint64_t seed) {
  Importance importance;
  for (int d = 0; d < graph.layout().free_dimensions; ++d) {
    const CounterRandom random(seed, static_cast<std::uint64_t>(d));
    auto& scores = importance.emplace_back();
    for (int c = 0; c < channels_of(graph, d); ++c)
      scores.push_back(random.uniform(static_cast<std::uint64_t>(c)));
  }
  return importance;
}

Importance equal_importance(const Graph& graph) {
  Importance importance;
  for (int d = 0; d < graph.layout().free_dimensions; ++d)
    importance.emplace_back(static_cast<std::size_t>(channels_of(graph, d)), 1.0);
  return importance;
}

std::vector<std::vector<int>> importance_order(const Importance& importance) {
  std::vector<std::vector<int>> orders;
  for (const std::vector<double>& scores : importance) {
    std::vector<int> order(scores.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
      return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)];
    });
    orders.push_back(std::move(order));
  }
  return orders;
}

}  // namespace concertina::train
