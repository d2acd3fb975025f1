#include "train/rankers/gradients.h"

#include "base/random.h"
#include "base/try.h"
#include "train/losses.h"

namespace concertina::train {

Result<Spending> for_each_gradient(const Run& run, const Tensors& weights,
                                   const std::function<void(const Supernet& net)>& visit) {
  const Recipe& recipe = run.recipe();
  CONCERTINA_ASSIGN(const Supernet net,
                    Supernet::make(run.graph(), weights, run.compute().with(recipe.training.precision)));
  const std::span<const std::int64_t> training = run.data().training;
  const auto batches = std::min<std::int64_t>(
      recipe.rank.batches, static_cast<std::int64_t>(training.size()) / recipe.training.batch);
  const Subnet full = full_subnet(run.graph());
  const auto order =
      CounterRandom(run.seed(Stage::rank)).permutation(static_cast<std::int64_t>(training.size()));
  Spending spent;
  run.progress().start("rank", batches);
  for (std::int64_t i = 0; i < batches; ++i) {
    for (const auto& [name, tensor] : net.weights()) torch::Tensor(tensor).mutable_grad() = torch::Tensor();
    const Batch batch = run.data().images.batch(batch_indices(training, order, i, recipe.training.batch));
    label_loss(net.forward(batch.images, full), batch.labels, 0).backward();
    spent += training_spending(run.graph(), full, recipe.training.batch);
    visit(net);
    run.progress().update(i + 1, "");
  }
  return spent;
}

}  // namespace concertina::train
