#include "train/rankers/rankers.h"

namespace concertina::train {

Importance filter_l1_importance(const Graph& graph, const Tensors& weights) {
  ImportanceSum sum(graph);
  for_each_layer(graph, [&](NodeId id, const std::string& weight) {
    sum.add(graph.axis(id), weights.at(weight).detach().abs().flatten(1).sum(1));
  });
  return sum.result();
}

}  // namespace concertina::train
