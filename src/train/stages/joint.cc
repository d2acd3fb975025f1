#include <fmt/format.h>

#include "base/random.h"
#include "base/try.h"
#include "train/checkpoint.h"
#include "train/losses.h"
#include "train/selected_subnets.h"
#include "train/stages/stages.h"
#include "train/stages/training.h"
#include "train/supernet.h"

namespace concertina::train {
namespace {

/// The sub-nets of one step: the largest, two drawn from those between, the smallest.
class Sandwich {
 public:
  /// Precondition: at least one sub-net, largest first.
  Sandwich(std::vector<Subnet> subnets, std::uint64_t seed)
      : subnets_(std::move(subnets)), random_(seed, 1) {}

  std::vector<Subnet> draw(std::int64_t step) const {
    std::vector<Subnet> drawn = {subnets_.front()};
    if (subnets_.size() > 2) {
      for (const std::uint64_t draw : {0u, 1u}) {
        const std::uint64_t counter = static_cast<std::uint64_t>(step) * 2 + draw;
        drawn.push_back(subnets_[1 + random_.below(subnets_.size() - 2, counter)]);
      }
    }
    if (subnets_.size() > 1) drawn.push_back(subnets_.back());
    return drawn;
  }

  /// Of a step with so many images, on average.
  double expected_macs(const Graph& graph, std::int64_t images) const {
    const auto macs = [&](const Subnet& subnet) { return training_spending(graph, subnet, images).macs; };
    double sum = macs(subnets_.front());
    if (subnets_.size() > 1) sum += macs(subnets_.back());
    for (std::size_t i = 1; i + 1 < subnets_.size(); ++i)
      sum += 2 * macs(subnets_[i]) / static_cast<double>(subnets_.size() - 2);
    return sum;
  }

 private:
  std::vector<Subnet> subnets_;
  CounterRandom random_;
};

/// The largest sub-net on labels, all others on the largest's output.
TrainingLoop::StepResult train_together(const Supernet& net, const std::vector<Subnet>& subnets,
                                        const Batch& batch, double label_smoothing) {
  TrainingLoop::StepResult result;
  torch::Tensor teacher;
  for (const Subnet& subnet : subnets) {
    const torch::Tensor logits = net.forward(batch.images, subnet);
    if (!teacher.defined()) {
      teacher = torch::softmax(logits.detach(), 1);
      result.loss = label_loss(logits, batch.labels, label_smoothing);
      result.loss.backward();
    } else {
      distillation_loss(logits, teacher).backward();
    }
    result.spent += training_spending(net.graph(), subnet, batch.labels.size(0));
  }
  return result;
}

/// As many as the recipe's epochs have, or as its budget leaves after what the stages before have spent.
Result<std::int64_t> joint_steps(const Run& run, const Sandwich& sandwich) {
  const Recipe& recipe = run.recipe();
  if (recipe.joint.budget == 0) return steps_of_epochs(run, recipe.joint.epochs);
  const Spending epoch = training_spending(run.graph(), full_subnet(run.graph()),
                                           static_cast<std::int64_t>(run.data().training.size()));
  Spending spent;
  for (const Stage stage : {Stage::pretrain, Stage::rank, Stage::search, Stage::select}) {
    CONCERTINA_ASSIGN(const StageRecord record, run.record(stage));
    spent += record.spent;
  }
  const double left = recipe.joint.budget * epoch.macs - spent.macs;
  const double steps = left / sandwich.expected_macs(run.graph(), recipe.training.batch);
  if (steps < 1) {
    return Error{
        fmt::format("joint.budget = {} epochs of the full network, but the stages before have spent {:.1f}; "
                    "raise it, or shorten pretrain, rank or search",
                    recipe.joint.budget, spent.macs / epoch.macs)};
  }
  return static_cast<std::int64_t>(steps);
}

Result<Tensors> starting_weights(const Run& run) {
  if (run.recipe().joint.start == JointStart::scratch) {
    return initial_tensors(run.graph(), run.seed(Stage::joint));
  }
  CONCERTINA_ASSIGN(Checkpoint ranked, read_checkpoint(run.file(Stage::rank, "weights.pt")));
  return std::move(ranked.tensors);
}

}  // namespace

Result<Spending> joint(const Run& run) {
  const Recipe& recipe = run.recipe();
  CONCERTINA_ASSIGN(const Tensors start, starting_weights(run));
  CONCERTINA_ASSIGN(auto subnets, read_subnets(run.file(Stage::select, "subnets.json"), run.graph()));
  CONCERTINA_ASSIGN(const Supernet net,
                    Supernet::make(run.graph(), start, run.compute().with(recipe.training.precision)));
  const Sandwich sandwich(std::move(subnets), run.seed(Stage::joint));
  CONCERTINA_ASSIGN(const std::int64_t steps, joint_steps(run, sandwich));
  ScheduledOptimizer optimizers[] = {make_sgd(net.weights(), recipe.training, recipe.joint.learning_rate)};
  const auto step = [&](const Batch& batch, std::int64_t number) {
    return train_together(net, sandwich.draw(number), batch, recipe.joint.label_smoothing);
  };
  return training_loop(run, Stage::joint, recipe.joint.schedule, steps)
      .run(run.data().images, run.data().training, net.weights(), optimizers, step, run.progress());
}

}  // namespace concertina::train
