#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/try.h"
#include "train/checkpoint.h"
#include "train/losses.h"
#include "train/ranking.h"
#include "train/stages/stages.h"
#include "train/stages/training.h"
#include "train/supernet.h"

namespace concertina::train {
namespace {

struct Ranking {
  Importance importance;
  Spending spent = {};
};

/// Trains on from `weights` with noise on them; what counts is the scales that come out.
Result<Ranking> rank_by_noise(const Run& run, const Tensors& weights) {
  const Recipe& recipe = run.recipe();
  CONCERTINA_ASSIGN(const Supernet net,
                    Supernet::make(run.graph(), weights, run.compute().with(recipe.training.precision)));
  const NoiseScales noise(run.graph(), recipe.rank.initial_noise, run.compute().device);
  Tensors trained = net.weights();
  for (std::size_t d = 0; d < noise.scales().size(); ++d)
    trained[fmt::format("noise.{}", d)] = noise.scales()[d];

  // The scales' gradients differ by orders of magnitude between layers; Adam takes steps of one size.
  const auto adam = torch::optim::AdamOptions(recipe.rank.noise_learning_rate);
  ScheduledOptimizer optimizers[] = {
      make_sgd(net.weights(), recipe.training, recipe.rank.learning_rate),
      {std::make_unique<torch::optim::Adam>(noise.scales(), adam), recipe.rank.noise_learning_rate}};
  const Subnet full = full_subnet(run.graph());
  const double barrier = recipe.rank.variant == NoiseVariant::log_barrier ? recipe.rank.barrier : 0;
  const Spending cost = training_spending(run.graph(), full, recipe.training.batch);
  const auto step = [&](const Batch& batch, std::int64_t) -> TrainingLoop::StepResult {
    const torch::Tensor loss = label_loss(net.forward(batch.images, full, {.noise = &noise}), batch.labels,
                                          recipe.pretrain.label_smoothing);
    (loss - barrier * noise.mean_log()).backward();
    return {loss, cost};
  };
  const TrainingLoop loop =
      training_loop(run, Stage::rank, Schedule::linear, steps_of_epochs(run, recipe.rank.epochs));
  CONCERTINA_ASSIGN(const Spending spent, loop.run(run.data().images, run.data().training, trained,
                                                   optimizers, step, run.progress()));
  return Ranking{noise_importance(noise, recipe.rank.remove_first), spent};
}

Result<Ranking> measure(const Run& run, const Tensors& weights) {
  switch (run.recipe().rank.method) {
    case RankMethod::noise:
      return rank_by_noise(run, weights);
    case RankMethod::l1:
      return Ranking{l1_importance(run.graph(), weights)};
    case RankMethod::random:
      return Ranking{random_importance(run.graph(), run.seed(Stage::rank))};
    case RankMethod::none:
      return Ranking{equal_importance(run.graph())};
  }
  return Ranking{};
}

std::string to_json(const Graph& graph, const Importance& importance,
                    const std::vector<std::vector<int>>& orders) {
  nlohmann::json dimensions = nlohmann::json::array();
  for (std::size_t d = 0; d < orders.size(); ++d) {
    dimensions.push_back({{"dimension", graph.layout().dimensions[d].name},
                          {"importance", importance[d]},
                          {"order", orders[d]}});
  }
  return dimensions.dump(1) + "\n";
}

}  // namespace

Result<Spending> rank(const Run& run) {
  CONCERTINA_ASSIGN(const Checkpoint pretrained, read_checkpoint(run.file(Stage::pretrain, "checkpoint.pt")));
  CONCERTINA_ASSIGN(const auto measured, measure(run, pretrained.tensors));
  const auto& [importance, spent] = measured;
  const auto orders = importance_order(importance);
  const Weights sorted = permute_channels(run.graph(), to_weights(pretrained.tensors), orders);
  CONCERTINA_TRY(write_file(run.file(Stage::rank, "ranking.json"), to_json(run.graph(), importance, orders)));
  CONCERTINA_TRY(write_checkpoint(
      run.file(Stage::rank, "weights.pt"),
      {.epochs = pretrained.epochs, .tensors = to_tensors(sorted, torch::kCPU), .optimizers = {}}));
  return spent;
}

}  // namespace concertina::train
