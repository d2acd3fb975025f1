#include <functional>

#include "base/random.h"
#include "base/try.h"
#include "train/rankers/rankers.h"
#include "train/supernet/tensor_ops.h"

namespace concertina::train {
namespace {

/// Of one layer's weights [out][...] and the loss's gradient on a batch: a score for each output channel.
using GradientScore =
    std::function<torch::Tensor(const torch::Tensor& weight, const torch::Tensor& gradient)>;

/// Ranks by scores that are summed over rank.batches training batches, on which the full network of `weights`
/// runs forward and backward without being changed. `by_mean` as in ImportanceSum.
Result<Ranking> rank_by_gradients(const Run& run, const Tensors& weights, const GradientScore& score,
                                  bool by_mean) {
  const recipe::Recipe& recipe = run.recipe();
  ASSIGN_OR_RETURN(const Supernet net, run.supernet(weights));
  const std::span<const std::int64_t> training = run.data().training;
  const auto batches = std::min<std::int64_t>(
      recipe.rank.batches, static_cast<std::int64_t>(training.size()) / recipe.training.batch);
  const Subnet full = full_subnet(run.graph());
  const auto order =
      CounterRandom(run.seed(recipe::Stage::rank)).permutation(static_cast<std::int64_t>(training.size()));
  search::Spending spent;
  Tensors scores;
  run.progress().start("rank", batches);
  for (std::int64_t i = 0; i < batches; ++i) {
    for (const auto& [name, tensor] : net.weights()) torch::Tensor(tensor).mutable_grad() = torch::Tensor();
    const Batch batch = run.data().images.batch(batch_indices(training, order, i, recipe.training.batch));
    label_loss(net.forward(batch.images, full), batch.labels, 0).backward();
    spent += search::training_spending(run.graph(), full, recipe.training.batch);
    for_each_layer(run.graph(), [&](NodeId, const std::string& name) {
      const torch::Tensor& w = net.weights().at(name);
      if (!w.grad().defined()) return;  // nothing of it reaches the loss
      const torch::Tensor of_batch = score(w.detach(), w.grad());
      torch::Tensor& sum = scores[name];
      sum = sum.defined() ? sum + of_batch : of_batch;
    });
    run.progress().update(i + 1, "");
  }
  ImportanceSum sum(run.graph(), by_mean);
  for_each_layer(run.graph(), [&](NodeId id, const std::string& name) {
    const auto of_layer = scores.find(name);
    if (of_layer != scores.end()) sum.add(run.graph().axis(id), of_layer->second);
  });
  return Ranking{sum.result(), spent};
}

}  // namespace

Result<Ranking> taylor_ranking(const Run& run, const Tensors& weights) {
  const auto score = [](const torch::Tensor& weight, const torch::Tensor& gradient) {
    return (weight * gradient).flatten(1).sum(1).abs();
  };
  return rank_by_gradients(run, weights, score, true);
}

Result<Ranking> fisher_ranking(const Run& run, const Tensors& weights) {
  const auto score = [](const torch::Tensor& weight, const torch::Tensor& gradient) {
    return weight.var() * gradient.square().flatten(1).sum(1);
  };
  // The variance already makes the layers of a dimension comparable.
  return rank_by_gradients(run, weights, score, false);
}

}  // namespace concertina::train
