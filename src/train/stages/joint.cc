#include <fmt/format.h>

#include "base/try.h"
#include "recipe/sandwich.h"
#include "recipe/selected_subnets.h"
#include "train/joint/joint_state.h"
#include "train/joint/joint_step.h"
#include "train/stages/stages.h"
#include "train/supernet/tensor_ops.h"
#include "train/training_loop.h"

namespace concertina::train {
namespace {

/// What the recipe's budget leaves after what the stages before have spent.
Result<double> macs_left(const Run& run) {
  const double budget = run.recipe().joint.budget;
  const search::Spending epoch = search::training_spending(
      run.graph(), full_subnet(run.graph()), static_cast<std::int64_t>(run.data().training.size()));
  double spent = 0;
  for (const recipe::Stage stage : recipe::kStages) {
    if (stage == recipe::Stage::joint) break;
    ASSIGN_OR_RETURN(const report::StageCost cost, run.cost(stage));
    spent += cost.macs;
  }
  if (budget * epoch.macs > spent) return budget * epoch.macs - spent;
  return Error{
      fmt::format("joint.budget = {} epochs of the full network, but the stages before have spent {:.1f}; "
                  "raise it, or shorten pretrain, rank, prepare or search",
                  budget, spent / epoch.macs)};
}

Result<Tensors> starting_weights(const Run& run) {
  switch (run.recipe().joint.start) {
    case recipe::JointStart::ranked:
      return run.weights(recipe::Stage::rank);
    case recipe::JointStart::prepared:
      return run.weights(recipe::Stage::prepare);
    case recipe::JointStart::scratch:
      return initial_tensors(run.graph(),
                             run.seed(recipe::Stage::pretrain));  // where pretraining begins, too
  }
  return Tensors{};
}

/// The upper reference of joint training: every sub-net with weights of its own from `start` on, on labels,
/// for joint.epochs; no budget applies -> joint/alone-<i>.pt.
Result<search::Spending> train_alone(const Run& run, const Tensors& start,
                                     const std::vector<Subnet>& subnets) {
  const recipe::Recipe& recipe = run.recipe();
  search::Spending all;
  for (std::size_t i = 0; i < subnets.size(); ++i) {
    ASSIGN_OR_RETURN(const Supernet net, run.supernet(start));
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

}  // namespace

Result<search::Spending> joint(const Run& run) {
  const recipe::Recipe::Joint& recipe = run.recipe().joint;
  ASSIGN_OR_RETURN(const Tensors start, starting_weights(run));
  ASSIGN_OR_RETURN(auto subnets,
                   recipe::read_subnets(run.file(recipe::Stage::select, "subnets.json"), run.graph()));
  if (recipe.method == recipe::JointMethod::alone) return train_alone(run, start, subnets);
  ASSIGN_OR_RETURN(const Supernet net, run.supernet(start));
  TrainingLoop loop = training_loop(run, recipe::Stage::joint, recipe.schedule, 0);
  if (recipe.budget == 0) {
    loop.steps = steps_of_epochs(run, recipe.epochs);
  } else {
    ASSIGN_OR_RETURN(loop.macs, macs_left(run));
  }
  const recipe::Sandwich sandwich(subnets.size(), recipe.sampling, run.seed(recipe::Stage::joint));
  JointState state(net, std::move(subnets), recipe);
  ScheduledOptimizer optimizers[] = {make_sgd(state.trained(), run.recipe().training, recipe.learning_rate)};
  loop.after_step = [&](std::int64_t number) { state.average(number); };
  const auto step = [&](const Batch& batch, std::int64_t number) -> TrainingLoop::StepResult {
    const auto drawn = sandwich.draw(number, state.losses());
    const auto [losses, spent] = train_together(net, state.members(drawn, recipe.focus), batch,
                                                recipe.distillation, recipe.label_smoothing);
    state.remember(drawn, losses);
    return {torch::tensor(losses.front()), spent};
  };
  return loop.run(run.data().images, run.data().training, state.kept(), optimizers, step, run.progress());
}

}  // namespace concertina::train
