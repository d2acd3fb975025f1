#include "base/try.h"
#include "train/rankers/gradients.h"
#include "train/rankers/rankers.h"

namespace concertina::train {

Result<Ranking> fisher_ranking(const Run& run, const Tensors& weights) {
  Tensors scores;
  const auto visit = [&](const Supernet& net) {
    for_each_layer(run.graph(), [&](NodeId, const std::string& name) {
      const torch::Tensor& w = net.weights().at(name);
      if (!w.grad().defined()) return;  // nothing of it reaches the loss
      const torch::Tensor score = w.detach().var() * w.grad().square().flatten(1).sum(1);
      torch::Tensor& sum = scores[name];
      sum = sum.defined() ? sum + score : score;
    });
  };
  CONCERTINA_ASSIGN(const Spending spent, for_each_gradient(run, weights, visit));
  // s^2 already makes the layers of a dimension comparable.
  ImportanceSum sum(run.graph(), false);
  for_each_layer(run.graph(), [&](NodeId id, const std::string& name) {
    const auto score = scores.find(name);
    if (score != scores.end()) sum.add(run.graph().axis(id), score->second);
  });
  return Ranking{sum.result(), spent};
}

}  // namespace concertina::train
