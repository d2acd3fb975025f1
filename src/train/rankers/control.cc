#include "base/random.h"
#include "train/rankers/rankers.h"

namespace concertina::train {
namespace {

std::size_t channels_of(const Graph& graph, int dimension) {
  return static_cast<std::size_t>(graph.layout().dimensions[dimension].channels);
}

}  // namespace

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
