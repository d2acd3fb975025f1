#include "base/try.h"
#include "train/objective.h"
#include "train/stages/stages.h"
#include "train/supernet/calibrate_norms.h"
#include "train/supernet/supernet.h"
#include "train/training_loop.h"

namespace concertina::train {
namespace {

/// Training batches over which the norms that are put back are calibrated.
constexpr int kCalibrationBatches = 20;

/// The weights of the network's file, if there is one, and fresh ones for what it does not have.
Result<Tensors> first_weights(const Run& run) {
  const Graph& graph = run.graph();
  Tensors start = to_tensors(run.source().network.weights, torch::kCPU);
  start.merge(initial_tensors(graph, run.seed(recipe::Stage::pretrain)));
  // A checkpoint will replace them.
  if (run.processes().exists(run.file(recipe::Stage::pretrain, "checkpoint.pt"))) return start;
  const int batch = run.recipe().training.batch;
  return calibrate_norms(graph, std::move(start), run.source().norms, run.compute(), run.data().images,
                         run.data().first_training(std::int64_t{kCalibrationBatches} * batch), batch);
}

}  // namespace

Result<search::Spending> pretrain(const Run& run) {
  const recipe::Recipe& recipe = run.recipe();
  ASSIGN_OR_RETURN(const Tensors start, first_weights(run));
  ASSIGN_OR_RETURN(const Supernet net, run.supernet(start));
  std::vector<ScheduledOptimizer> optimizers =
      make_optimizers(run.graph(), net.weights(), recipe.training, run.processes());
  const Subnet full = full_subnet(run.graph());
  const search::Spending cost = search::training_spending(run.graph(), full, recipe.training.batch);
  const auto step = [&](const Batch& batch, const TrainingLoop::Moment& moment) -> TrainingLoop::StepResult {
    const torch::Tensor loss =
        loss_of(forward(net, batch, full), targets_of(batch), recipe.training.label_smoothing);
    moment.gradients.backward(loss);
    return {loss.item<double>(), cost + cost_of_targets(batch)};
  };
  AveragedWeights weights = AveragedWeights::start(net.weights());
  ASSIGN_OR_RETURN(TrainingLoop loop, training_loop(run, recipe::Stage::pretrain));
  loop.steps = steps_of_epochs(run, recipe.pretrain.epochs);
  loop.after_step = [&](std::int64_t number) { weights.update(number); };
  return loop.run(run.shared_images(), run.data().training, weights.packed(), optimizers, step,
                  run.progress());
}

}  // namespace concertina::train
