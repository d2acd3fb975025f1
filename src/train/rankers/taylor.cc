#include "base/try.h"
#include "train/rankers/gradients.h"
#include "train/rankers/rankers.h"

namespace concertina::train {

Result<Ranking> taylor_ranking(const Run& run, const Tensors& weights) {
  Tensors scores;
  const auto visit = [&](const Supernet& net) {
    for_each_layer(run.graph(), [&](NodeId, const std::string& name) {
      const torch::Tensor& w = net.weights().at(name);
      if (!w.grad().defined()) return;  // nothing of it reaches the loss
      const torch::Tensor score = (w.detach() * w.grad()).flatten(1).sum(1).abs();
      torch::Tensor& sum = scores[name];
      sum = sum.defined() ? sum + score : score;
    });
  };
  CONCERTINA_ASSIGN(const Spending spent, for_each_gradient(run, weights, visit));
  ImportanceSum sum(run.graph());
  for_each_layer(run.graph(), [&](NodeId id, const std::string& name) {
    const auto score = scores.find(name);
    if (score != scores.end()) sum.add(run.graph().axis(id), score->second);
  });
  return Ranking{sum.result(), spent};
}

}  // namespace concertina::train
