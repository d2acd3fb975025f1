#include "train/rankers/gradients.h"

#include "base/random.h"
#include "base/try.h"
#include "train/losses.h"

namespace concertina::train {

Result<Ranking> rank_by_gradients(const Run& run, const Tensors& weights, const GradientScore& score,
                                  bool by_mean) {
  const recipe::Recipe& recipe = run.recipe();
  ASSIGN_OR_RETURN(const Supernet net,
                   Supernet::make(run.graph(), weights, run.compute().with(recipe.training.precision)));
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

}  // namespace concertina::train
