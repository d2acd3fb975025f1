#include "base/try.h"
#include "train/losses.h"
#include "train/run_training.h"
#include "train/stages/stages.h"
#include "train/supernet.h"

namespace concertina::train {

Result<Spending> pretrain(const Run& run) {
  const Recipe& recipe = run.recipe();
  const Tensors start = initial_tensors(run.graph(), run.seed(Stage::pretrain));
  CONCERTINA_ASSIGN(const Supernet net,
                    Supernet::make(run.graph(), start, run.compute().with(recipe.training.precision)));
  ScheduledOptimizer optimizers[] = {make_sgd(net.weights(), recipe.training, recipe.pretrain.learning_rate)};
  const Subnet full = full_subnet(run.graph());
  const Spending cost = training_spending(run.graph(), full, recipe.training.batch);
  const auto step = [&](const Batch& batch, std::int64_t) -> TrainingLoop::StepResult {
    const torch::Tensor loss =
        label_loss(net.forward(batch.images, full), batch.labels, recipe.pretrain.label_smoothing);
    loss.backward();
    return {loss, cost};
  };
  return training_loop(run, Stage::pretrain, recipe.pretrain.schedule,
                       steps_of_epochs(run, recipe.pretrain.epochs))
      .run(run.data().images, run.data().training, net.weights(), optimizers, step, run.progress());
}

}  // namespace concertina::train
