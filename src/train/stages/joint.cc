#include <fmt/format.h>

#include <algorithm>

#include "base/try.h"
#include "train/checkpoint.h"
#include "train/joint_step.h"
#include "train/run_training.h"
#include "train/sandwich.h"
#include "train/selected_subnets.h"
#include "train/stages/stages.h"
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
      return initial_tensors(run.graph(), run.seed(Stage::joint));
  }
  return Tensors{};
}

/// An exponential moving average of weights (Polyak), kept beside them in checkpoints.
class MovingAverage {
 public:
  MovingAverage(const Tensors& weights, double decay) : decay_(decay) {
    if (decay == 0) return;
    for (const auto& [name, tensor] : weights) averages_["ema." + name] = tensor.detach().clone();
  }

  const Tensors& averages() const { return averages_; }

  void update(const Tensors& weights, std::int64_t step) {
    // Short at first, so that the start is forgotten.
    const double decay =
        std::min(decay_, (1.0 + static_cast<double>(step)) / (10.0 + static_cast<double>(step)));
    const torch::NoGradGuard no_grad;
    for (auto& [name, average] : averages_) average.lerp_(weights.at(name.substr(4)), 1 - decay);
  }

 private:
  double decay_;
  Tensors averages_;
};

}  // namespace

Result<Spending> joint(const Run& run) {
  const Recipe& recipe = run.recipe();
  CONCERTINA_ASSIGN(const Tensors start, starting_weights(run));
  CONCERTINA_ASSIGN(auto subnets, read_subnets(run.file(Stage::select, "subnets.json"), run.graph()));
  CONCERTINA_ASSIGN(const Supernet net,
                    Supernet::make(run.graph(), start, run.compute().with(recipe.training.precision)));
  const Sandwich sandwich(std::move(subnets), run.seed(Stage::joint));
  TrainingLoop loop = training_loop(run, Stage::joint, recipe.joint.schedule, 0);
  if (recipe.joint.budget == 0) {
    loop.steps = steps_of_epochs(run, recipe.joint.epochs);
  } else {
    CONCERTINA_ASSIGN(loop.macs, macs_left(run));
  }
  ScheduledOptimizer optimizers[] = {make_sgd(net.weights(), recipe.training, recipe.joint.learning_rate)};
  MovingAverage average(net.weights(), recipe.joint.ema);
  const auto step = [&](const Batch& batch, std::int64_t number) {
    // The weights of the step before: this one's are not there yet.
    average.update(net.weights(), number);
    return train_together(net, sandwich.draw(number), batch, recipe.joint.distillation,
                          recipe.joint.label_smoothing);
  };
  Tensors kept = net.weights();
  kept.insert(average.averages().begin(), average.averages().end());
  return loop.run(run.data().images, run.data().training, kept, optimizers, step, run.progress());
}

}  // namespace concertina::train
