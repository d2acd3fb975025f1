#include "train/joint/train_alone.h"

#include <fmt/format.h>

#include "base/try.h"
#include "train/joint/joint_weights.h"
#include "train/losses.h"
#include "train/run_training.h"
#include "train/supernet.h"

namespace concertina::train {

Result<search::Spending> train_alone(const Run& run, const Tensors& start,
                                     const std::vector<Subnet>& subnets) {
  const recipe::Recipe& recipe = run.recipe();
  search::Spending all;
  for (std::size_t i = 0; i < subnets.size(); ++i) {
    ASSIGN_OR_RETURN(const Supernet net,
                     Supernet::make(run.graph(), start, run.compute().with(recipe.training.precision)));
    TrainingLoop loop = training_loop(run, recipe::Stage::joint, recipe.joint.schedule,
                                      steps_of_epochs(run, recipe.joint.epochs));
    loop.task = fmt::format("sub-net {} alone", i);
    loop.checkpoint = joint_checkpoint(run, i);
    loop.log = run.file(recipe::Stage::joint, fmt::format("alone-{}.jsonl", i));
    ScheduledOptimizer optimizers[] = {make_sgd(net.weights(), recipe.training, recipe.joint.learning_rate)};
    const search::Spending cost = search::training_spending(run.graph(), subnets[i], recipe.training.batch);
    const auto step = [&](const Batch& batch, std::int64_t) -> TrainingLoop::StepResult {
      const torch::Tensor loss =
          label_loss(net.forward(batch.images, subnets[i]), batch.labels, recipe.joint.label_smoothing);
      loss.backward();
      return {loss, cost};
    };
    ASSIGN_OR_RETURN(const search::Spending spent, loop.run(run.data().images, run.data().training,
                                                            net.weights(), optimizers, step, run.progress()));
    all += spent;
  }
  return all;
}

}  // namespace concertina::train
