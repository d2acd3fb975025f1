#include "train/stages/train_alone.h"

#include <fmt/format.h>

#include "base/try.h"
#include "train/joint_weights.h"
#include "train/losses.h"
#include "train/run_training.h"
#include "train/supernet.h"

namespace concertina::train {

Result<Spending> train_alone(const Run& run, const Tensors& start, const std::vector<Subnet>& subnets) {
  const Recipe& recipe = run.recipe();
  Spending all;
  for (std::size_t i = 0; i < subnets.size(); ++i) {
    CONCERTINA_ASSIGN(const Supernet net,
                      Supernet::make(run.graph(), start, run.compute().with(recipe.training.precision)));
    TrainingLoop loop =
        training_loop(run, Stage::joint, recipe.joint.schedule, steps_of_epochs(run, recipe.joint.epochs));
    loop.task = fmt::format("sub-net {} alone", i);
    loop.checkpoint = joint_checkpoint(run, i);
    loop.log = run.file(Stage::joint, fmt::format("alone-{}.jsonl", i));
    ScheduledOptimizer optimizers[] = {make_sgd(net.weights(), recipe.training, recipe.joint.learning_rate)};
    const Spending cost = training_spending(run.graph(), subnets[i], recipe.training.batch);
    const auto step = [&](const Batch& batch, std::int64_t) -> TrainingLoop::StepResult {
      const torch::Tensor loss =
          label_loss(net.forward(batch.images, subnets[i]), batch.labels, recipe.joint.label_smoothing);
      loss.backward();
      return {loss, cost};
    };
    CONCERTINA_ASSIGN(const Spending spent, loop.run(run.data().images, run.data().training, net.weights(),
                                                     optimizers, step, run.progress()));
    all += spent;
  }
  return all;
}

}  // namespace concertina::train
