#include "base/try.h"
#include "recipe/sandwich.h"
#include "train/joint/joint_step.h"
#include "train/stages/stages.h"
#include "train/training_loop.h"

namespace concertina::train {

Result<search::Spending> prepare(const Run& run) {
  const recipe::Recipe& recipe = run.recipe();
  ASSIGN_OR_RETURN(const Tensors ranked, run.weights(recipe::Stage::rank));
  ASSIGN_OR_RETURN(const Supernet net, run.supernet(ranked));
  const recipe::RandomSandwich sandwich(run.graph(), run.groups(), recipe::groups_at_end(recipe.search),
                                        run.seed(recipe::Stage::prepare));
  ScheduledOptimizer optimizers[] = {make_sgd(net.weights(), recipe.training, recipe.prepare.learning_rate)};
  const auto step = [&](const Batch& batch, std::int64_t number) -> TrainingLoop::StepResult {
    std::vector<JointMember> members;
    for (Subnet& subnet : sandwich.draw(number)) members.push_back({.subnet = std::move(subnet)});
    const auto [losses, spent] = train_together(net, members, batch, recipe::Distillation::in_place, 0);
    return {torch::tensor(losses.front()), spent};
  };
  return training_loop(run, recipe::Stage::prepare, recipe.prepare.schedule,
                       steps_of_epochs(run, recipe.prepare.epochs))
      .run(run.data().images, run.data().training, net.weights(), optimizers, step, run.progress());
}

}  // namespace concertina::train
