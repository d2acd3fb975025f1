#include "search/spending.h"

#include "graph/cost.h"

namespace concertina::search {

Spending evaluation_spending(const Graph& graph, const Subnet& subnet, std::int64_t images, NodeId first) {
  return {images, static_cast<double>(images) * static_cast<double>(macs_from(graph, subnet, first))};
}

Spending training_spending(const Graph& graph, const Subnet& subnet, std::int64_t images) {
  constexpr double kPasses = 3;  // forward, gradient of the activations, gradient of the weights
  return {images, kPasses * evaluation_spending(graph, subnet, images).macs};
}

}  // namespace concertina::search
