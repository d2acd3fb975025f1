#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "train/images/image_batches.h"
#include "train/run.h"
#include "train/tensors.h"

namespace concertina::train {

/// An optimiser and the peak of its learning-rate schedule.
struct ScheduledOptimizer {
  std::unique_ptr<torch::optim::Optimizer> optimizer;
  double peak_learning_rate = 0;
};

/// SGD with Nesterov momentum; weight decay only on arrays of two or more dimensions, so not on biases and
/// batch norms.
ScheduledOptimizer make_sgd(const Tensors& weights, const recipe::Recipe::Training& options,
                            double learning_rate);

/// Training that survives a kill: after each epoch everything is written to `checkpoint`, and the random
/// numbers of an epoch depend on `seed` and its number alone.
struct TrainingLoop {
  std::string task;  ///< for progress
  std::filesystem::path checkpoint;
  std::filesystem::path log;  ///< one JSON line an epoch
  std::int64_t steps = 0;     ///< the last epoch may be a part of one
  double macs = 0;            ///< in place of steps: goes on until so much has been spent
  int batch = 0;
  recipe::Schedule schedule = recipe::Schedule::one_cycle;
  Augmentation augmentation;
  std::uint64_t seed = 0;
  std::function<void(std::int64_t step)> after_step = {};  ///< sees the weights that the step has left

  struct StepResult {
    torch::Tensor loss;  ///< to show
    search::Spending spent;
  };
  /// Runs forward and backward for one batch, adding gradients.
  using Step = std::function<StepResult(const Batch& batch, std::int64_t step)>;

  /// Trains `tensors` (leaves, changed in place), going on from the checkpoint if there is one. The result is
  /// what all steps spent, those before a kill included.
  Result<search::Spending> run(const ImageBatches& images, std::span<const std::int64_t> indices,
                               const Tensors& tensors, std::span<ScheduledOptimizer> optimizers,
                               const Step& step, Progress& progress) const;
};

/// Steps in so many passes over the training images.
std::int64_t steps_of_epochs(const Run& run, int epochs);

/// The loop of a stage that trains: its files, its seed, and what the recipe says for all of them.
TrainingLoop training_loop(const Run& run, recipe::Stage stage, recipe::Schedule schedule,
                           std::int64_t steps);

}  // namespace concertina::train
