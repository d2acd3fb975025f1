#include "base/random.h"
#include "base/try.h"
#include "train/checkpoint.h"
#include "train/losses.h"
#include "train/selected_subnets.h"
#include "train/stages/stages.h"
#include "train/supernet.h"
#include "train/training_loop.h"

namespace concertina::train {
namespace {

/// The sandwich: the largest sub-net on labels, then two drawn ones and the smallest on the largest's output.
torch::Tensor sandwich_step(const Supernet& net, const std::vector<Subnet>& subnets, const Batch& batch,
                            double label_smoothing, const CounterRandom& random, std::int64_t step) {
  const torch::Tensor logits = net.forward(batch.images, subnets.front());
  const torch::Tensor loss = label_loss(logits, batch.labels, label_smoothing);
  loss.backward();
  const torch::Tensor teacher = torch::softmax(logits.detach(), 1);
  const auto imitate = [&](const Subnet& subnet) {
    distillation_loss(net.forward(batch.images, subnet), teacher).backward();
  };
  if (subnets.size() > 2) {
    for (const std::uint64_t draw : {0u, 1u}) {
      const std::uint64_t counter = static_cast<std::uint64_t>(step) * 2 + draw;
      imitate(subnets[1 + random.below(subnets.size() - 2, counter)]);
    }
  }
  if (subnets.size() > 1) imitate(subnets.back());
  return loss;
}

Result<Tensors> starting_weights(const Run& run) {
  if (run.recipe().joint.start == JointStart::scratch) {
    return initial_tensors(run.graph(), run.seed(Stage::joint));
  }
  CONCERTINA_ASSIGN(Checkpoint ranked, read_checkpoint(run.file(Stage::rank, "weights.pt")));
  return std::move(ranked.tensors);
}

}  // namespace

Status joint(const Run& run) {
  const Recipe& recipe = run.recipe();
  CONCERTINA_ASSIGN(const Tensors start, starting_weights(run));
  CONCERTINA_ASSIGN(const auto subnets, read_subnets(run.file(Stage::select, "subnets.json"), run.graph()));
  CONCERTINA_ASSIGN(const Supernet net,
                    Supernet::make(run.graph(), start, run.compute().with(recipe.training.precision)));
  const TrainingLoop loop{.task = "joint",
                          .checkpoint = run.file(Stage::joint, "checkpoint.pt"),
                          .log = run.file(Stage::joint, "log.jsonl"),
                          .epochs = recipe.joint.epochs,
                          .batch = recipe.training.batch,
                          .schedule = recipe.joint.schedule,
                          .augmentation = {recipe.data.pad, recipe.data.flip},
                          .seed = run.seed(Stage::joint)};
  ScheduledOptimizer optimizers[] = {make_sgd(net.weights(), recipe.training, recipe.joint.learning_rate)};
  const CounterRandom random(run.seed(Stage::joint), 1);
  const auto step = [&](const Batch& batch, std::int64_t number) {
    return sandwich_step(net, subnets, batch, recipe.joint.label_smoothing, random, number);
  };
  return loop.run(run.data().images, run.data().training, net.weights(), optimizers, step, run.progress());
}

}  // namespace concertina::train
