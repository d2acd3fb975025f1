#include "train/training_loop.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/file.h"
#include "base/random.h"
#include "base/try.h"
#include "recipe/schedule.h"
#include "train/images/batch_queue.h"
#include "train/muon.h"
#include "train/tensors.h"

namespace concertina::train {
namespace {

/// What the random numbers of an epoch are for.
constexpr std::uint64_t kAugmentation = 1, kFirstStep = 2;

void set_learning_rate(const ScheduledOptimizer& scheduled, double factor) {
  for (auto& group : scheduled.optimizer->param_groups()) {
    group.options().set_lr(scheduled.peak_learning_rate * factor);
  }
}

/// How far a training has come.
struct Position {
  std::int64_t steps = 0;
  double loss_sum = 0;  ///< of the steps of an epoch that has begun
  search::Spending spent = {};
};

Result<Position> restore(const std::filesystem::path& path, const Tensors& tensors,
                         std::span<ScheduledOptimizer> optimizers, const Processes& processes) {
  if (!processes.exists(path)) {
    for (const auto& [name, tensor] : tensors) processes.take_from_first(tensor);
    return Position{};
  }
  ASSIGN_OR_RETURN(const Checkpoint checkpoint, read_checkpoint(path, processes));
  const torch::NoGradGuard no_grad;
  for (const auto& [name, tensor] : tensors) {
    const auto saved = checkpoint.tensors.find(name);
    const bool fits = saved != checkpoint.tensors.end() && saved->second.sizes() == tensor.sizes();
    if (!fits || checkpoint.optimizers.size() != optimizers.size()) {
      return Error{
          fmt::format("'{}' belongs to another run; delete its folder to make it again", path.string())};
    }
    torch::Tensor(tensor).copy_(saved->second);
  }
  for (std::size_t i = 0; i < optimizers.size(); ++i) {
    load_optimizer(*optimizers[i].optimizer, checkpoint.optimizers[i]);
  }
  return Position{checkpoint.steps, checkpoint.loss_sum, checkpoint.spent};
}

/// After a step, what all processes do.
struct Agreed {
  double loss = 0;
  bool save = false;  ///< as the first one's clock says
};

Agreed agree(const Processes& processes, double loss, bool save) {
  double values[] = {loss, processes.first() && save ? 1.0 : 0.0};
  processes.mean(values);
  return {values[0], values[1] > 0};
}

Status save(const std::filesystem::path& path, const Tensors& tensors,
            std::span<const ScheduledOptimizer> optimizers, const Position& at) {
  Checkpoint checkpoint{.steps = at.steps, .loss_sum = at.loss_sum, .spent = at.spent, .tensors = tensors};
  for (const ScheduledOptimizer& scheduled : optimizers) {
    checkpoint.optimizers.push_back(save_optimizer(*scheduled.optimizer));
  }
  return write_checkpoint(path, checkpoint);
}

double epoch_macs(const Run& run) {
  return search::training_spending(run.graph(), full_subnet(run.graph()),
                                   static_cast<std::int64_t>(run.data().training.size()))
      .macs;
}

Result<SchedulePart> schedule_part(const Run& run, recipe::Stage stage) {
  if (stage == recipe::Stage::fine_tune) return SchedulePart{};  // with a learning rate of its own
  const recipe::Recipe& recipe = run.recipe();
  const double budget = recipe.joint.budget, all = recipe::schedule_epochs(recipe);
  const double pretrained = recipe.pretrain.epochs / all;
  const bool from_scratch = recipe.joint.start == recipe::JointStart::scratch;
  if (stage == recipe::Stage::pretrain) return SchedulePart{0, pretrained};
  if (stage == recipe::Stage::rank) {
    const bool takes_part = budget > 0 || from_scratch;
    return SchedulePart{pretrained, pretrained + (takes_part ? recipe::rank_epochs(recipe.rank) / all : 0)};
  }
  if (from_scratch) return SchedulePart{};
  if (budget == 0) return SchedulePart{pretrained, 1};
  ASSIGN_OR_RETURN(const double left, macs_left(run));
  return SchedulePart{1 - left / (budget * epoch_macs(run)), 1};
}

/// Prepares the batches of a loop's steps from `first` on: those of a step depend on its number alone.
std::function<Batch(std::int64_t)> batches_from(std::int64_t first, const TrainingLoop& loop,
                                                const ImageBatches& images,
                                                std::span<const std::int64_t> indices) {
  const auto steps_per_epoch = static_cast<std::int64_t>(indices.size()) / loop.batch;
  return [=, &loop, &images, epoch = std::int64_t{-1},
          order = std::vector<std::int64_t>()](std::int64_t i) mutable {
    const std::int64_t step = first + i, before = std::exchange(epoch, step / steps_per_epoch);
    const CounterRandom random(loop.seed, static_cast<std::uint64_t>(epoch));
    if (epoch != before) order = random.permutation(static_cast<std::int64_t>(indices.size()));
    return images.augmented(batch_indices(indices, order, step % steps_per_epoch, loop.batch),
                            loop.augmentation, random.bits(kAugmentation));
  };
}

using TensorList = std::vector<torch::Tensor>;

void limit_gradients(const Tensors& tensors, double limit) {
  const torch::NoGradGuard no_grad;
  TensorList gradients, norms;
  for (const auto& [name, tensor] : tensors) {
    if (!tensor.grad().defined()) continue;
    gradients.push_back(tensor.grad());
    norms.push_back(tensor.grad().norm());
  }
  if (gradients.empty()) return;
  const torch::Tensor factor = torch::clamp_max(limit / (torch::stack(norms).norm() + 1e-12), 1);
  for (torch::Tensor& gradient : gradients) gradient.mul_(factor);
}

/// What is trained, by how it learns.
struct TrainedKinds {
  TensorList filters;  ///< of convolutions that mix channels
  TensorList linear;   ///< weights of linear layers
  TensorList others;   ///< biases, norms, depthwise filters, and whatever is no parameter of the graph
};

TrainedKinds sorted_by_kind(const Graph& graph, const Tensors& trained) {
  std::set<std::string> filters, linear;
  for (const Node& node : graph.nodes()) {
    const auto* conv = std::get_if<op::Conv>(&node.op);
    if (conv && !conv->depthwise()) filters.insert(node.name + ".weight");
    if (std::holds_alternative<op::Linear>(node.op)) linear.insert(node.name + ".weight");
  }
  TrainedKinds sorted;
  for (const auto& [name, tensor] : trained)
    (filters.contains(name)  ? sorted.filters
     : linear.contains(name) ? sorted.linear
                             : sorted.others)
        .push_back(tensor);
  return sorted;
}

ScheduledOptimizer sgd(TensorList decayed, TensorList plain, const recipe::Recipe::Training& options,
                       double learning_rate) {
  const auto group = [&](TensorList tensors, double decay) {
    auto of_group = torch::optim::SGDOptions(learning_rate).momentum(options.momentum).weight_decay(decay);
    of_group.nesterov(options.momentum > 0);
    return torch::optim::OptimizerParamGroup(std::move(tensors),
                                             std::make_unique<torch::optim::SGDOptions>(of_group));
  };
  std::vector<torch::optim::OptimizerParamGroup> groups = {group(std::move(decayed), options.weight_decay),
                                                           group(std::move(plain), 0)};
  return {std::make_unique<torch::optim::SGD>(std::move(groups), torch::optim::SGDOptions(learning_rate)),
          learning_rate};
}

}  // namespace

ScheduledOptimizer make_sgd(const Graph& graph, const Tensors& trained,
                            const recipe::Recipe::Training& options, double learning_rate) {
  auto [decayed, linear, others] = sorted_by_kind(graph, trained);
  decayed.insert(decayed.end(), linear.begin(), linear.end());
  return sgd(std::move(decayed), std::move(others), options, learning_rate);
}

std::vector<ScheduledOptimizer> make_optimizers(const Graph& graph, const Tensors& trained,
                                                const recipe::Recipe::Training& options,
                                                const Processes& processes) {
  std::vector<ScheduledOptimizer> optimizers;
  const double learning_rate = options.muon_learning_rate;
  if (learning_rate == 0) {
    optimizers.push_back(make_sgd(graph, trained, options, options.learning_rate));
    return optimizers;
  }
  constexpr double kDecay = 0.05;  // of the learning rate, in each step; docs/results/trials.md
  auto [filters, linear, others] = sorted_by_kind(graph, trained);
  optimizers.push_back(sgd(std::move(linear), std::move(others), options, options.learning_rate));
  const auto muon = torch::optim::SGDOptions(learning_rate).momentum(options.momentum).weight_decay(kDecay);
  optimizers.push_back({std::make_unique<Muon>(std::move(filters), muon, processes), learning_rate});
  return optimizers;
}

Result<search::Spending> TrainingLoop::run(const ImageBatches& images, std::span<const std::int64_t> indices,
                                           const Tensors& tensors, std::span<ScheduledOptimizer> optimizers,
                                           const Step& step, Progress& progress) const {
  using Clock = std::chrono::steady_clock;
  ASSIGN_OR_RETURN(Position at, restore(checkpoint, tensors, optimizers, processes));
  const auto save_all = [&] {
    return processes.first_does([&] { return save(checkpoint, tensors, optimizers, at); });
  };
  if (at.steps == 0) RETURN_IF_ERROR(save_all());
  const SharedGradients gradients =
      processes.alone() ? SharedGradients() : SharedGradients(processes, *graph, tensors);
  const auto steps_per_epoch = static_cast<std::int64_t>(indices.size()) / batch;
  if (steps_per_epoch == 0) {
    return Error{
        fmt::format("a batch of {} images is larger than the {} training images; make training.batch smaller",
                    batch, indices.size())};
  }
  const auto share_done = [&] {
    return macs > 0 ? at.spent.macs / macs : static_cast<double>(at.steps) / static_cast<double>(steps);
  };
  constexpr std::int64_t kPerCent = 100;  // progress of a budget, whose steps are not known beforehand
  progress.start(task, macs > 0 ? kPerCent : steps);
  constexpr std::int64_t kUntilSpent = std::numeric_limits<std::int64_t>::max();
  BatchQueue batches(images, share_done() < 1 ? (macs > 0 ? kUntilSpent : steps - at.steps) : 0,
                     batches_from(at.steps, *this, images, indices));
  auto saved = Clock::now();
  while ((steps > 0 || macs > 0) && share_done() < 1) {
    const auto started = Clock::now();
    const std::int64_t epoch = at.steps / steps_per_epoch, first = epoch * steps_per_epoch;
    const CounterRandom random(seed, static_cast<std::uint64_t>(epoch));
    const Time waited_before = images.waits().time;
    double learning_rate = 0;
    while (at.steps < first + steps_per_epoch && share_done() < 1) {
      const std::int64_t in_epoch = at.steps - first;
      const Moment moment{at.steps, schedule.from + (schedule.to - schedule.from) * share_done(),
                          random.bits(kFirstStep + static_cast<std::uint64_t>(in_epoch)), gradients};
      const double factor = recipe::schedule_factor(moment.progress);
      learning_rate = optimizers.front().peak_learning_rate * factor;
      for (const ScheduledOptimizer& scheduled : optimizers) {
        set_learning_rate(scheduled, factor);
        scheduled.optimizer->zero_grad();
      }
      torch::manual_seed(moment.seed);
      const auto [loss_here, cost] = step(batches.take(), moment);
      const auto [loss, save_now] = agree(processes, loss_here, Clock::now() - saved >= save_every);
      if (!std::isfinite(loss)) {
        return Error{
            fmt::format("{}: the loss became {} in epoch {}; lower {}", task, loss, epoch + 1, rate_key)};
      }
      if (gradient_limit > 0) limit_gradients(tensors, gradient_limit);
      for (const ScheduledOptimizer& scheduled : optimizers) scheduled.optimizer->step();
      if (after_step) after_step(at.steps);
      at.steps += 1;
      at.loss_sum += loss;
      at.spent += cost;
      const auto per_cent = static_cast<std::int64_t>(kPerCent * std::min(share_done(), 1.0));
      progress.update(macs > 0 ? per_cent : at.steps,
                      fmt::format("loss {:.3f}", at.loss_sum / static_cast<double>(in_epoch + 1)));
      if (!save_now) continue;
      RETURN_IF_ERROR(images.status());
      RETURN_IF_ERROR(save_all());
      saved = Clock::now();
    }
    RETURN_IF_ERROR(images.status());
    const double loss = std::exchange(at.loss_sum, 0) / static_cast<double>(at.steps - first);
    RETURN_IF_ERROR(save_all());
    saved = Clock::now();
    const std::chrono::duration<double> seconds = saved - started;
    const nlohmann::json line = {{"epoch", epoch + 1},
                                 {"loss", loss},
                                 {"learning_rate", learning_rate},
                                 {"seconds", seconds.count()},
                                 {"waited_seconds", to_seconds(images.waits().time - waited_before)}};
    RETURN_IF_ERROR(processes.first_does([&] { return append_line(log, line.dump()); }));
  }
  return at.spent;
}

std::int64_t steps_of_epochs(const Run& run, int epochs) {
  return epochs * (static_cast<std::int64_t>(run.data().training.size()) / run.recipe().training.batch);
}

Result<double> macs_left(const Run& run) {
  const double budget = run.recipe().joint.budget * epoch_macs(run);
  double spent = 0;
  for (const recipe::Stage stage : recipe::stages_of(run.recipe())) {
    if (stage == recipe::Stage::joint) break;
    ASSIGN_OR_RETURN(const report::StageCost cost, run.cost(stage));
    spent += cost.macs;
  }
  if (budget > spent) return budget - spent;
  return Error{
      fmt::format("joint.budget = {} epochs of the full network, but the stages before have spent {:.1f}; "
                  "raise it, or shorten pretrain, rank or search",
                  run.recipe().joint.budget, spent / epoch_macs(run))};
}

Result<TrainingLoop> training_loop(const Run& run, recipe::Stage stage) {
  // Values that hardly vary make a large relative error, and a large step, of a small difference.
  constexpr double kTaughtLimit = 2;
  const recipe::Recipe& recipe = run.recipe();
  ASSIGN_OR_RETURN(const SchedulePart schedule, schedule_part(run, stage));
  return TrainingLoop{.task = std::string(recipe::stage_name(stage)),
                      .checkpoint = run.file(stage, "checkpoint.pt"),
                      .log = run.file(stage, "log.jsonl"),
                      .batch = recipe.training.batch,
                      .schedule = schedule,
                      .augmentation = augmentation_of(recipe.data),
                      .seed = run.seed(stage),
                      .gradient_limit = run.teacher() ? kTaughtLimit : 0,
                      .processes = run.processes(),
                      .graph = &run.graph()};
}

}  // namespace concertina::train
