#include "base/try.h"
#include "train/losses.h"
#include "train/stages/stages.h"
#include "train/supernet.h"
#include "train/training_loop.h"

namespace concertina::train {

Status pretrain(const Run& run) {
  const Recipe& recipe = run.recipe();
  const std::uint64_t seed = run.seed(Stage::pretrain);
  CONCERTINA_ASSIGN(const Supernet net, Supernet::make(run.graph(), initial_tensors(run.graph(), seed),
                                                       run.compute().with(recipe.training.precision)));
  const TrainingLoop loop{.task = "pretrain",
                          .checkpoint = run.file(Stage::pretrain, "checkpoint.pt"),
                          .log = run.file(Stage::pretrain, "log.jsonl"),
                          .epochs = recipe.pretrain.epochs,
                          .batch = recipe.training.batch,
                          .schedule = recipe.pretrain.schedule,
                          .augmentation = {recipe.data.pad, recipe.data.flip},
                          .seed = seed};
  ScheduledOptimizer optimizers[] = {make_sgd(net.weights(), recipe.training, recipe.pretrain.learning_rate)};
  const Subnet full = full_subnet(run.graph());
  const auto step = [&](const Batch& batch, std::int64_t) {
    const torch::Tensor loss =
        label_loss(net.forward(batch.images, full), batch.labels, recipe.pretrain.label_smoothing);
    loss.backward();
    return loss;
  };
  return loop.run(run.data().images, run.data().training, net.weights(), optimizers, step, run.progress());
}

}  // namespace concertina::train
