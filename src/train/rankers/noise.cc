#include <fmt/format.h>

#include "base/try.h"
#include "train/rankers/rankers.h"
#include "train/supernet/tensor_ops.h"
#include "train/training_loop.h"

namespace concertina::train {

Importance noise_importance(const NoiseScales& noise, recipe::RemoveFirst remove_first) {
  Importance importance;
  for (const torch::Tensor& scale : noise.scales()) {
    const torch::Tensor squared = scale.detach().to(torch::kCPU, torch::kDouble).square().contiguous();
    const torch::Tensor score =
        remove_first == recipe::RemoveFirst::largest_noise ? 1 / (squared + 1e-12) : squared;
    importance.emplace_back(score.data_ptr<double>(), score.data_ptr<double>() + score.numel());
  }
  return importance;
}

Result<Ranking> noise_ranking(const Run& run, const Tensors& weights, const recipe::Recipe::Rank& recipe,
                              const std::filesystem::path& folder) {
  const recipe::Recipe::Training& training = run.recipe().training;
  ASSIGN_OR_RETURN(const Supernet net, run.supernet(weights));
  const NoiseScales noise(run.graph(), recipe.initial_noise, run.compute().device);
  Tensors trained = net.weights();
  for (std::size_t d = 0; d < noise.scales().size(); ++d)
    trained[fmt::format("noise.{}", d)] = noise.scales()[d];

  // The scales' gradients differ by orders of magnitude between layers; Adam takes steps of one size.
  const auto adam = torch::optim::AdamOptions(recipe.noise_learning_rate);
  ScheduledOptimizer optimizers[] = {
      make_sgd(net.weights(), training, recipe.learning_rate),
      {std::make_unique<torch::optim::Adam>(noise.scales(), adam), recipe.noise_learning_rate}};
  const Subnet full = full_subnet(run.graph());
  const double barrier = recipe.variant == recipe::NoiseVariant::log_barrier ? recipe.barrier : 0;
  const search::Spending cost = search::training_spending(run.graph(), full, training.batch);
  const auto step = [&](const Batch& batch, std::int64_t) -> TrainingLoop::StepResult {
    const torch::Tensor loss = label_loss(net.forward(batch.images, full, {.noise = &noise}), batch.labels,
                                          run.recipe().pretrain.label_smoothing);
    (loss - barrier * noise.mean_log()).backward();
    return {loss, cost};
  };
  TrainingLoop loop =
      training_loop(run, recipe::Stage::rank, recipe::Schedule::linear, steps_of_epochs(run, recipe.epochs));
  loop.checkpoint = folder / "checkpoint.pt";
  loop.log = folder / "log.jsonl";
  ASSIGN_OR_RETURN(const search::Spending spent, loop.run(run.data().images, run.data().training, trained,
                                                          optimizers, step, run.progress()));
  return Ranking{noise_importance(noise, recipe.remove_first), spent};
}

}  // namespace concertina::train
