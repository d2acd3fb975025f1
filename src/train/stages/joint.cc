#include <fmt/format.h>

#include "base/try.h"
#include "train/checkpoint.h"
#include "train/joint_state.h"
#include "train/joint_step.h"
#include "train/run_training.h"
#include "train/sandwich.h"
#include "train/selected_subnets.h"
#include "train/stages/stages.h"
#include "train/stages/train_alone.h"
#include "train/supernet.h"

namespace concertina::train {
namespace {

/// What the recipe's budget leaves after what the stages before have spent.
Result<double> macs_left(const Run& run) {
  const double budget = run.recipe().joint.budget;
  const Spending epoch = training_spending(run.graph(), full_subnet(run.graph()),
                                           static_cast<std::int64_t>(run.data().training.size()));
  Spending spent;
  for (const Stage stage : kStages) {
    if (stage == Stage::joint) break;
    CONCERTINA_ASSIGN(const StageRecord record, run.record(stage));
    spent += record.spent;
  }
  if (budget * epoch.macs > spent.macs) return budget * epoch.macs - spent.macs;
  return Error{
      fmt::format("joint.budget = {} epochs of the full network, but the stages before have spent {:.1f}; "
                  "raise it, or shorten pretrain, rank, prepare or search",
                  budget, spent.macs / epoch.macs)};
}

Result<Tensors> starting_weights(const Run& run) {
  switch (run.recipe().joint.start) {
    case JointStart::ranked: {
      CONCERTINA_ASSIGN(Checkpoint ranked, read_checkpoint(run.file(Stage::rank, "weights.pt")));
      return std::move(ranked.tensors);
    }
    case JointStart::prepared: {
      CONCERTINA_ASSIGN(Checkpoint prepared, read_checkpoint(run.file(Stage::prepare, "checkpoint.pt")));
      return std::move(prepared.tensors);
    }
    case JointStart::scratch:
      return initial_tensors(run.graph(), run.seed(Stage::pretrain));  // where pretraining begins, too
  }
  return Tensors{};
}

}  // namespace

Result<Spending> joint(const Run& run) {
  const Recipe::Joint& recipe = run.recipe().joint;
  CONCERTINA_ASSIGN(const Tensors start, starting_weights(run));
  CONCERTINA_ASSIGN(auto subnets, read_subnets(run.file(Stage::select, "subnets.json"), run.graph()));
  if (recipe.method == JointMethod::alone) return train_alone(run, start, subnets);
  CONCERTINA_ASSIGN(const Supernet net,
                    Supernet::make(run.graph(), start, run.compute().with(run.recipe().training.precision)));
  TrainingLoop loop = training_loop(run, Stage::joint, recipe.schedule, 0);
  if (recipe.budget == 0) {
    loop.steps = steps_of_epochs(run, recipe.epochs);
  } else {
    CONCERTINA_ASSIGN(loop.macs, macs_left(run));
  }
  const Sandwich sandwich(subnets.size(), recipe.sampling, run.seed(Stage::joint));
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
