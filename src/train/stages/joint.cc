#include <fmt/format.h>

#include "base/try.h"
#include "train/joint/joint_state.h"
#include "train/joint/train_subnets.h"
#include "train/objective.h"
#include "train/stages/stages.h"
#include "train/training_loop.h"

namespace concertina::train {
namespace {

/// From scratch those with which pretraining begins, too, if `subnet` is the full network.
Result<Tensors> starting_weights(const Run& run, const Subnet& subnet) {
  if (run.recipe().joint.start == recipe::JointStart::ranked) {
    ASSIGN_OR_RETURN(AveragedWeights ranked, run.weights(recipe::Stage::rank));
    return std::move(ranked.latest);
  }
  return initial_tensors(run.graph(), run.seed(recipe::Stage::pretrain), subnet);
}

/// References of joint training: every sub-net with weights of its own, on labels, each for joint.epochs
/// without a budget, or for an equal share of the budget -> joint/alone-<i>.pt.
Result<search::Spending> train_alone(const Run& run, const std::vector<Subnet>& subnets) {
  const recipe::Recipe& recipe = run.recipe();
  double macs = 0;
  if (recipe.joint.method == recipe::JointMethod::split) {
    ASSIGN_OR_RETURN(macs, macs_left(run));
    macs /= static_cast<double>(subnets.size());
  }
  search::Spending all;
  for (std::size_t i = 0; i < subnets.size(); ++i) {
    ASSIGN_OR_RETURN(const Tensors start, starting_weights(run, subnets[i]));
    ASSIGN_OR_RETURN(const Supernet net, run.supernet(start));
    ASSIGN_OR_RETURN(TrainingLoop loop, training_loop(run, recipe::Stage::joint));
    loop.macs = macs;
    if (macs == 0) loop.steps = steps_of_epochs(run, recipe.joint.epochs);
    loop.task = fmt::format("sub-net {} alone", i);
    loop.checkpoint = joint_checkpoint(run, i);
    loop.log = run.file(recipe::Stage::joint, fmt::format("alone-{}.jsonl", i));
    std::vector<ScheduledOptimizer> optimizers =
        make_optimizers(run.graph(), net.weights(), recipe.training, run.processes());
    const search::Spending cost = search::training_spending(run.graph(), subnets[i], recipe.training.batch);
    const auto step = [&](const Batch& batch,
                          const TrainingLoop::Moment& moment) -> TrainingLoop::StepResult {
      const torch::Tensor loss =
          loss_of(forward(net, batch, subnets[i]), targets_of(batch), recipe.training.label_smoothing);
      moment.gradients.backward(loss);
      return {loss.item<double>(), cost + cost_of_targets(batch)};
    };
    ASSIGN_OR_RETURN(const search::Spending spent, loop.run(run.shared_images(), run.data().training,
                                                            net.weights(), optimizers, step, run.progress()));
    all += spent;
  }
  return all;
}

}  // namespace

Result<search::Spending> joint(const Run& run) {
  const recipe::Recipe::Joint& recipe = run.recipe().joint;
  ASSIGN_OR_RETURN(auto subnets, run.selected());
  if (recipe.method != recipe::JointMethod::together) return train_alone(run, subnets);
  ASSIGN_OR_RETURN(const Tensors start, starting_weights(run, full_subnet(run.graph())));
  ASSIGN_OR_RETURN(const Supernet net, run.supernet(start));
  ASSIGN_OR_RETURN(TrainingLoop loop, training_loop(run, recipe::Stage::joint));
  if (recipe.budget == 0) {
    loop.steps = steps_of_epochs(run, recipe.epochs);
  } else {
    ASSIGN_OR_RETURN(loop.macs, macs_left(run));
  }
  JointState state(net, std::move(subnets), recipe);
  std::vector<ScheduledOptimizer> optimizers =
      make_optimizers(run.graph(), state.trained(), run.recipe().training, run.processes());
  return train_subnets(run, recipe::Stage::joint, net, state, loop, optimizers);
}

}  // namespace concertina::train
