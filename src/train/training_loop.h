#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "train/distributed/shared_gradients.h"
#include "train/images/image_batches.h"
#include "train/run.h"
#include "train/tensors.h"

namespace concertina::train {

/// An optimiser and its highest learning rate.
struct ScheduledOptimizer {
  std::unique_ptr<torch::optim::Optimizer> optimizer;
  double peak_learning_rate = 0;
};

/// The part of a run's learning-rate schedule that a stage goes through.
struct SchedulePart {
  double from = 0, to = 1;
};

/// SGD with Nesterov momentum. Weight decay applies to the weights of linear layers and of convolutions,
/// except depthwise ones. Tensors in `trained` with other names are not decayed.
ScheduledOptimizer make_sgd(const Graph& graph, const Tensors& trained,
                            const recipe::Recipe::Training& options, double learning_rate);

/// What the recipe trains with: SGD, and with muon_learning_rate Muon for convolutions that mix channels,
/// whose work the processes share.
std::vector<ScheduledOptimizer> make_optimizers(const Graph& graph, const Tensors& trained,
                                                const recipe::Recipe::Training& options,
                                                const Processes& processes = {});

/// Training that survives a kill: after each epoch, and every few minutes, everything is written to
/// `checkpoint`. The random numbers of a step depend on `seed` and its number alone. Of several processes
/// each trains on its part of every batch, and the first one reads and writes the files.
struct TrainingLoop {
  std::string task;  ///< for progress
  std::filesystem::path checkpoint;
  std::filesystem::path log;  ///< one JSON line an epoch; learning_rate: of the first optimiser's last step
  std::int64_t steps = 0;     ///< the last epoch may be a part of one
  double macs = 0;            ///< in place of steps: goes on until so much has been spent
  int batch = 0;
  SchedulePart schedule = {};
  Augmentation augmentation;
  std::uint64_t seed = 0;
  std::string_view rate_key =
      "training.learning_rate";  ///< of the recipe, where the optimisers' rates are from
  double gradient_limit = 0;     ///< gradients are scaled down to this norm, of all together; 0: never
  std::function<void(std::int64_t step)> after_step = {};  ///< sees the weights that the step has left
  std::chrono::seconds save_every = std::chrono::minutes(5);
  Processes processes = {};
  const Graph* graph = nullptr;  ///< of what is trained; null if a process is alone

  struct StepResult {
    double loss = 0;  ///< to show, of this process's part; training fails if it is not finite
    search::Spending spent;
  };
  struct Moment {
    std::int64_t step = 0;
    double progress = 0;     ///< of the run's schedule
    std::uint64_t seed = 0;  ///< LibTorch's random numbers begin with it
    const SharedGradients& gradients;
  };
  /// Runs forward and backward for one batch, adding gradients; the last pass backward by moment.gradients.
  using Step = std::function<StepResult(const Batch& batch, const Moment& moment)>;

  /// Trains `tensors` (leaves, changed in place), going on from the checkpoint if there is one. The result is
  /// what all steps spent, those before a kill included.
  Result<search::Spending> run(const ImageBatches& images, std::span<const std::int64_t> indices,
                               const Tensors& tensors, std::span<ScheduledOptimizer> optimizers,
                               const Step& step, Progress& progress) const;
};

/// Steps in so many passes over the training images.
std::int64_t steps_of_epochs(const Run& run, int epochs);

/// What the recipe's budget leaves after what the stages before joint training have spent. Precondition:
/// there is a budget.
Result<double> macs_left(const Run& run);

/// The loop of a stage that trains: its files, its seed, its part of the schedule, and what the recipe says
/// for all of them. `steps` or `macs` is to be set.
Result<TrainingLoop> training_loop(const Run& run, recipe::Stage stage);

}  // namespace concertina::train
