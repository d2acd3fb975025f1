#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/try.h"
#include "train/checkpoint.h"
#include "train/joint_step.h"
#include "train/own_parameters.h"
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

/// What joint training keeps besides the weights: the sub-nets' own parameters, the moving average of
/// everything trained, and each sub-net's present loss. All of it goes into checkpoints.
class JointState {
 public:
  JointState(const Supernet& net, std::vector<Subnet> subnets, const Recipe::Joint& recipe)
      : subnets_(std::move(subnets)),
        own_(net, subnets_, recipe.private_norm, recipe.private_classifier),
        decay_(recipe.ema),
        losses_(torch::ones({static_cast<std::int64_t>(subnets_.size())}, torch::kDouble)) {
    trained_ = net.weights();
    for (const auto& [name, tensor] : own_.all()) trained_[name] = tensor;
    if (decay_ == 0) return;
    for (const auto& [name, tensor] : trained_) averages_["ema." + name] = tensor.detach().clone();
  }

  /// What the optimiser changes.
  const Tensors& trained() const { return trained_; }

  Tensors kept() const {
    Tensors kept = trained_;
    kept.insert(averages_.begin(), averages_.end());
    kept["losses"] = losses_;
    return kept;
  }

  std::span<const double> losses() const {
    return {losses_.data_ptr<double>(), static_cast<std::size_t>(losses_.numel())};
  }

  /// The drawn sub-nets; with `focus` their losses weigh exp(focus * present loss), 1 on average.
  std::vector<JointMember> members(const std::vector<std::size_t>& drawn, double focus) const {
    std::vector<JointMember> members;
    double sum = 0;
    for (const std::size_t i : drawn) {
      const Tensors& own = own_.of(i);
      members.push_back({subnets_[i], own.empty() ? nullptr : &own, std::exp(focus * losses()[i])});
      sum += members.back().weight;
    }
    for (JointMember& member : members) member.weight *= static_cast<double>(members.size()) / sum;
    return members;
  }

  void remember(const std::vector<std::size_t>& drawn, const std::vector<double>& losses) {
    constexpr double kMemory = 0.98;
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      double& loss = losses_.data_ptr<double>()[drawn[i]];
      loss = kMemory * loss + (1 - kMemory) * std::max(losses[i], 1e-6);
    }
  }

  /// Takes in the weights as the step before has left them.
  void average(std::int64_t step) {
    // Short at first, so that the start is forgotten.
    const double decay =
        std::min(decay_, (1.0 + static_cast<double>(step)) / (10.0 + static_cast<double>(step)));
    const torch::NoGradGuard no_grad;
    for (auto& [name, average] : averages_) average.lerp_(trained_.at(name.substr(4)), 1 - decay);
  }

 private:
  std::vector<Subnet> subnets_;
  OwnParameters own_;
  double decay_;
  torch::Tensor losses_;
  Tensors trained_;
  Tensors averages_;
};

}  // namespace

Result<Spending> joint(const Run& run) {
  const Recipe::Joint& recipe = run.recipe().joint;
  CONCERTINA_ASSIGN(const Tensors start, starting_weights(run));
  CONCERTINA_ASSIGN(auto subnets, read_subnets(run.file(Stage::select, "subnets.json"), run.graph()));
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
  const auto step = [&](const Batch& batch, std::int64_t number) -> TrainingLoop::StepResult {
    state.average(number);
    const auto drawn = sandwich.draw(number, state.losses());
    const auto [losses, spent] = train_together(net, state.members(drawn, recipe.focus), batch,
                                                recipe.distillation, recipe.label_smoothing);
    state.remember(drawn, losses);
    return {torch::tensor(losses.front()), spent};
  };
  return loop.run(run.data().images, run.data().training, state.kept(), optimizers, step, run.progress());
}

}  // namespace concertina::train
