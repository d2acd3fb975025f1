#include "train/training_loop.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/random.h"
#include "base/try.h"
#include "train/checkpoint.h"
#include "train/schedule.h"

namespace concertina::train {
namespace {

void set_learning_rate(const ScheduledOptimizer& scheduled, double factor) {
  for (auto& group : scheduled.optimizer->param_groups()) {
    group.options().set_lr(scheduled.peak_learning_rate * factor);
  }
}

Status restore(const std::filesystem::path& path, const Tensors& tensors,
               std::span<ScheduledOptimizer> optimizers, int& epochs) {
  if (!std::filesystem::exists(path)) return {};
  CONCERTINA_ASSIGN(const Checkpoint checkpoint, read_checkpoint(path));
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
  return {};
}

Status save(const std::filesystem::path& path, const Tensors& tensors,
            std::span<const ScheduledOptimizer> optimizers, int epochs) {
  Checkpoint checkpoint{.epochs = epochs, .tensors = tensors, .optimizers = {}};
  for (const ScheduledOptimizer& scheduled : optimizers) {
    checkpoint.optimizers.push_back(save_optimizer(*scheduled.optimizer));
  }
  return write_checkpoint(path, checkpoint);
}

}  // namespace

ScheduledOptimizer make_sgd(const Tensors& weights, const Recipe::Training& options, double learning_rate) {
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

Status TrainingLoop::run(const ImageBatches& images, std::span<const std::int64_t> indices,
                         const Tensors& tensors, std::span<ScheduledOptimizer> optimizers, const Step& step,
                         Progress& progress) const {
  int done = 0;
  CONCERTINA_TRY(restore(checkpoint, tensors, optimizers, done));
  if (done == 0) CONCERTINA_TRY(save(checkpoint, tensors, optimizers, 0));
  const auto steps_per_epoch = static_cast<std::int64_t>(indices.size()) / batch;
  if (steps_per_epoch == 0) {
    return Error{
        fmt::format("a batch of {} images is larger than the {} training images; make training.batch smaller",
                    batch, indices.size())};
  }
  progress.start(task, epochs * steps_per_epoch);
  for (int epoch = done; epoch < epochs; ++epoch) {
    const auto started = std::chrono::steady_clock::now();
    const CounterRandom random(seed, static_cast<std::uint64_t>(epoch));
    torch::manual_seed(random.bits(0));
    const auto order = random.permutation(static_cast<std::int64_t>(indices.size()));
    torch::Tensor loss_sum = torch::zeros({});
    for (std::int64_t i = 0; i < steps_per_epoch; ++i) {
      std::vector<std::int64_t> chosen;
      for (std::int64_t k = i * batch; k < (i + 1) * batch; ++k) {
        chosen.push_back(indices[static_cast<std::size_t>(order[static_cast<std::size_t>(k)])]);
      }
      const std::int64_t global = epoch * steps_per_epoch + i;
      for (const ScheduledOptimizer& scheduled : optimizers) {
        set_learning_rate(scheduled, schedule_factor(schedule, global, epochs * steps_per_epoch));
        scheduled.optimizer->zero_grad();
      }
      const torch::Tensor loss = step(images.augmented(chosen, augmentation, random.bits(1)), global);
      for (const ScheduledOptimizer& scheduled : optimizers) scheduled.optimizer->step();
      loss_sum = loss_sum + loss.detach().to(torch::kCPU);
      progress.update(global + 1,
                      fmt::format("loss {:.3f}", loss_sum.item<double>() / static_cast<double>(i + 1)));
    }
    const double loss = loss_sum.item<double>() / static_cast<double>(steps_per_epoch);
    if (!std::isfinite(loss)) {
      return Error{
          fmt::format("{}: the loss became {} in epoch {}; lower its learning rate", task, loss, epoch + 1)};
    }
    CONCERTINA_TRY(save(checkpoint, tensors, optimizers, epoch + 1));
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
    const nlohmann::json line = {{"epoch", epoch + 1}, {"loss", loss}, {"seconds", seconds.count()}};
    CONCERTINA_TRY(append_line(log, line.dump()));
  }
  return {};
}

}  // namespace concertina::train
