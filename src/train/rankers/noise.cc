#include <fmt/format.h>

#include "base/try.h"
#include "train/rankers/rankers.h"
#include "train/supernet/tensor_ops.h"
#include "train/training_loop.h"

namespace concertina::train {

Importance noise_importance(const NoiseScales& noise) {
  Importance importance;
  for (const torch::Tensor& scale : noise.scales()) {
    const torch::Tensor squared = scale.detach().to(torch::kCPU, torch::kDouble).square().contiguous();
    const torch::Tensor score = 1 / (squared + 1e-12);
    importance.emplace_back(score.data_ptr<double>(), score.data_ptr<double>() + score.numel());
  }
  return importance;
}

Result<Ranking> noise_ranking(const Run& run, const recipe::Recipe::Rank& recipe,
                              const std::filesystem::path& folder) {
  const recipe::Recipe::Training& training = run.recipe().training;
  ASSIGN_OR_RETURN(const AveragedWeights pretrained, run.weights(recipe::Stage::pretrain));
  ASSIGN_OR_RETURN(const Supernet net, run.supernet(pretrained.latest));
  const NoiseScales noise(run.graph(), recipe.initial_noise, run.compute().device);
  AveragedWeights average = AveragedWeights::start(net.weights());
  Tensors trained = average.packed();
  for (std::size_t d = 0; d < noise.scales().size(); ++d)
    trained[fmt::format("noise.{}", d)] = noise.scales()[d];

  // The scales' gradients differ by orders of magnitude between layers; Adam takes steps of one size.
  const auto adam = torch::optim::AdamOptions(recipe.noise_learning_rate);
  std::vector<ScheduledOptimizer> optimizers =
      make_optimizers(run.graph(), net.weights(), training, run.processes());
  optimizers.push_back(
      {std::make_unique<torch::optim::Adam>(noise.scales(), adam), recipe.noise_learning_rate});
  const Subnet full = full_subnet(run.graph());
  const double barrier = recipe.variant == recipe::NoiseVariant::log_barrier ? recipe.barrier : 0;
  search::Spending cost;
  for (int sign = 0; sign < 2; ++sign) cost += search::training_spending(run.graph(), full, training.batch);
  const auto step = [&](const Batch& batch, const TrainingLoop::Moment& moment) -> TrainingLoop::StepResult {
    // The same noise with both signs: the loss's slope along it, which says nothing about the scales and is
    // far larger than the rest, cancels.
    double sum = 0;
    const Targets targets = targets_of(batch);
    for (const double sign : {1.0, -1.0}) {
      torch::manual_seed(moment.seed);
      const Outputs outputs = forward(net, batch, full, {.noise = &noise, .noise_sign = sign});
      const torch::Tensor loss = loss_of(outputs, targets, training.label_smoothing);
      (loss / 2).backward();
      sum += loss.item<double>();
    }
    moment.gradients.backward(-barrier * noise.mean_log());
    return {sum / 2, cost + cost_of_targets(batch)};
  };
  ASSIGN_OR_RETURN(TrainingLoop loop, training_loop(run, recipe::Stage::rank));
  loop.steps = steps_of_epochs(run, recipe.epochs);
  loop.after_step = [&](std::int64_t number) { average.update(number); };
  loop.checkpoint = folder / "checkpoint.pt";
  loop.log = folder / "log.jsonl";
  ASSIGN_OR_RETURN(const search::Spending spent, loop.run(run.shared_images(), run.data().training, trained,
                                                          optimizers, step, run.progress()));
  return Ranking{noise_importance(noise), spent, std::move(average)};
}

}  // namespace concertina::train
