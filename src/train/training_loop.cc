#include "train/training_loop.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/random.h"
#include "base/try.h"
#include "recipe/schedule.h"
#include "train/tensors.h"

namespace concertina::train {
namespace {

void set_learning_rate(const ScheduledOptimizer& scheduled, double factor) {
  for (auto& group : scheduled.optimizer->param_groups()) {
    group.options().set_lr(scheduled.peak_learning_rate * factor);
  }
}

Status restore(const std::filesystem::path& path, const Tensors& tensors,
               std::span<ScheduledOptimizer> optimizers, int& epochs, search::Spending& spent) {
  if (!std::filesystem::exists(path)) return {};
  ASSIGN_OR_RETURN(const Checkpoint checkpoint, read_checkpoint(path));
  const torch::NoGradGuard no_grad;
  for (const auto& [name, tensor] : tensors) {
    const auto saved = checkpoint.tensors.find(name);
    if (saved == checkpoint.tensors.end() || checkpoint.optimizers.size() != optimizers.size()) {
      return Error{
          fmt::format("'{}' belongs to another run; delete its folder to make it again", path.string())};
    }
    torch::Tensor(tensor).copy_(saved->second);
  }
  for (std::size_t i = 0; i < optimizers.size(); ++i) {
    load_optimizer(*optimizers[i].optimizer, checkpoint.optimizers[i]);
  }
  epochs = checkpoint.epochs;
  spent = checkpoint.spent;
  return {};
}

Status save(const std::filesystem::path& path, const Tensors& tensors,
            std::span<const ScheduledOptimizer> optimizers, int epochs, const search::Spending& spent) {
  Checkpoint checkpoint{.epochs = epochs, .spent = spent, .tensors = tensors, .optimizers = {}};
  for (const ScheduledOptimizer& scheduled : optimizers) {
    checkpoint.optimizers.push_back(save_optimizer(*scheduled.optimizer));
  }
  return write_checkpoint(path, checkpoint);
}

}  // namespace

ScheduledOptimizer make_sgd(const Tensors& weights, const recipe::Recipe::Training& options,
                            double learning_rate) {
  std::vector<torch::Tensor> decayed, plain;
  for (const auto& [name, tensor] : weights) (tensor.dim() > 1 ? decayed : plain).push_back(tensor);
  const auto group = [&](std::vector<torch::Tensor> tensors, double decay) {
    auto sgd = torch::optim::SGDOptions(learning_rate).momentum(options.momentum).weight_decay(decay);
    sgd.nesterov(options.momentum > 0);
    return torch::optim::OptimizerParamGroup(std::move(tensors),
                                             std::make_unique<torch::optim::SGDOptions>(sgd));
  };
  std::vector<torch::optim::OptimizerParamGroup> groups = {group(decayed, options.weight_decay),
                                                           group(plain, 0)};
  return {std::make_unique<torch::optim::SGD>(std::move(groups), torch::optim::SGDOptions(learning_rate)),
          learning_rate};
}

Result<search::Spending> TrainingLoop::run(const ImageBatches& images, std::span<const std::int64_t> indices,
                                           const Tensors& tensors, std::span<ScheduledOptimizer> optimizers,
                                           const Step& step, Progress& progress) const {
  int done = 0;
  search::Spending spent;
  RETURN_IF_ERROR(restore(checkpoint, tensors, optimizers, done, spent));
  if (done == 0) RETURN_IF_ERROR(save(checkpoint, tensors, optimizers, 0, spent));
  const auto steps_per_epoch = static_cast<std::int64_t>(indices.size()) / batch;
  if (steps_per_epoch == 0) {
    return Error{
        fmt::format("a batch of {} images is larger than the {} training images; make training.batch smaller",
                    batch, indices.size())};
  }
  const auto share_done = [&](std::int64_t number) {
    return macs > 0 ? spent.macs / macs : static_cast<double>(number) / static_cast<double>(steps);
  };
  constexpr std::int64_t kPerCent = 100;  // progress of a budget, whose steps are not known beforehand
  progress.start(task, macs > 0 ? kPerCent : steps);
  for (int epoch = done; (steps > 0 || macs > 0) && share_done(epoch * steps_per_epoch) < 1; ++epoch) {
    const auto started = std::chrono::steady_clock::now();
    const CounterRandom random(seed, static_cast<std::uint64_t>(epoch));
    torch::manual_seed(random.bits(0));
    const auto order = random.permutation(static_cast<std::int64_t>(indices.size()));
    const std::int64_t first = epoch * steps_per_epoch;
    std::int64_t i = first;
    torch::Tensor loss_sum = torch::zeros({});
    for (; i < first + steps_per_epoch && share_done(i) < 1; ++i) {
      for (const ScheduledOptimizer& scheduled : optimizers) {
        set_learning_rate(scheduled, recipe::schedule_factor(schedule, share_done(i)));
        scheduled.optimizer->zero_grad();
      }
      const auto chosen = batch_indices(indices, order, i - first, batch);
      const auto [loss, cost] = step(images.augmented(chosen, augmentation, random.bits(1)), i);
      for (const ScheduledOptimizer& scheduled : optimizers) scheduled.optimizer->step();
      if (after_step) after_step(i);
      spent += cost;
      loss_sum = loss_sum + loss.detach().to(torch::kCPU);
      const auto per_cent = static_cast<std::int64_t>(kPerCent * std::min(share_done(i + 1), 1.0));
      progress.update(
          macs > 0 ? per_cent : i + 1,
          fmt::format("loss {:.3f}", loss_sum.item<double>() / static_cast<double>(i + 1 - first)));
    }
    const double loss = loss_sum.item<double>() / static_cast<double>(i - first);
    if (!std::isfinite(loss)) {
      return Error{
          fmt::format("{}: the loss became {} in epoch {}; lower its learning rate", task, loss, epoch + 1)};
    }
    RETURN_IF_ERROR(images.status());
    RETURN_IF_ERROR(save(checkpoint, tensors, optimizers, epoch + 1, spent));
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
    const nlohmann::json line = {{"epoch", epoch + 1}, {"loss", loss}, {"seconds", seconds.count()}};
    RETURN_IF_ERROR(append_line(log, line.dump()));
  }
  return spent;
}

std::int64_t steps_of_epochs(const Run& run, int epochs) {
  return epochs * (static_cast<std::int64_t>(run.data().training.size()) / run.recipe().training.batch);
}

TrainingLoop training_loop(const Run& run, recipe::Stage stage, recipe::Schedule schedule,
                           std::int64_t steps) {
  const recipe::Recipe& recipe = run.recipe();
  return {.task = std::string(recipe::stage_name(stage)),
          .checkpoint = run.file(stage, "checkpoint.pt"),
          .log = run.file(stage, "log.jsonl"),
          .steps = steps,
          .batch = recipe.training.batch,
          .schedule = schedule,
          .augmentation = {recipe.data.pad, recipe.data.flip},
          .seed = run.seed(stage)};
}

}  // namespace concertina::train
