#include "train/rankers/rankers.h"

namespace concertina::train {

Importance norm_scale_importance(const Graph& graph, const Tensors& weights) {
  ImportanceSum sum(graph);
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (!std::holds_alternative<op::BatchNorm>(graph.node(id).op)) continue;
    sum.add(graph.axis(id), weights.at(graph.node(id).name + ".weight").detach().abs());
  }
  return sum.result();
}

}  // namespace concertina::train
