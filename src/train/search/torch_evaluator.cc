#include "train/search/torch_evaluator.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/random.h"
#include "base/try.h"
#include "train/distributed/shared_gradients.h"
#include "train/images/batch_queue.h"
#include "train/objective.h"
#include "train/supernet/evaluation.h"
#include "train/tensors.h"
#include "train/training_loop.h"

namespace concertina::train {
namespace {

/// How often a fine-tuning looks whether it has reached its target.
constexpr std::int64_t kLooks = 8;

}  // namespace

Result<TorchEvaluator> TorchEvaluator::make(const Run& run, int images) {
  ASSIGN_OR_RETURN(const AveragedWeights ranked, run.weights(recipe::Stage::rank));
  return make(run, ranked.averaged, images);
}

Result<TorchEvaluator> TorchEvaluator::make(const Run& run, const Tensors& weights, int images) {
  ASSIGN_OR_RETURN(Supernet net, run.supernet(weights));
  return TorchEvaluator(run, std::move(net), images);
}

TorchEvaluator::TorchEvaluator(const Run& run, Supernet net, int images)
    : run_(run), net_(std::move(net)), cache_(run.graph()) {
  const recipe::Recipe& recipe = run.recipe();
  const std::span<const std::int64_t> validation = run.data().validation;
  validation_ = validation.first(std::min(validation.size(), static_cast<std::size_t>(images)));
  norm_images_ = run.data().first_training(std::int64_t{recipe.search.norm_batches} * recipe.training.batch);
}

Result<search::Evaluation> TorchEvaluator::evaluate(const Subnet& subnet) {
  spent_ += cost(subnet);
  if (run_.processes().alone()) return measure(subnet);
  if (!measured_.contains(subnet)) RETURN_IF_ERROR(measure_with_next(subnet));
  return measured_.at(subnet);
}

search::Spending TorchEvaluator::cost(const Subnet& subnet) const {
  const auto images = static_cast<std::int64_t>(norm_images_.size() + validation_.size());
  const NodeId first = norm_images_.empty() ? cache_.first_changed(subnet) : 1;
  return search::evaluation_spending(run_.graph(), subnet, images, first);
}

Result<search::Evaluation> TorchEvaluator::measure(const Subnet& subnet) const {
  const ImageBatches& images = run_.data().images;
  if (norm_images_.empty()) {
    const search::Evaluation result = evaluate_in_batches(
        net_, subnet, images, validation_, [&](std::size_t batch) { return cache_.resuming(subnet, batch); });
    RETURN_IF_ERROR(images.status());
    return result;
  }
  const Tensors statistics =
      estimate_statistics(net_, subnet, {}, images, norm_images_, run_.recipe().training.batch);
  const search::Evaluation result = train::evaluate(net_, subnet, statistics, images, validation_);
  RETURN_IF_ERROR(images.status());
  return result;
}

Status TorchEvaluator::measure_with_next(const Subnet& subnet) {
  const Processes& processes = run_.processes();
  const auto count = static_cast<std::size_t>(processes.count()),
             rank = static_cast<std::size_t>(processes.rank());
  std::vector<Subnet> next = {subnet};
  for (auto one = std::find(expected_.begin(), expected_.end(), subnet);
       one != expected_.end() && next.size() < count; ++one) {
    if (*one != subnet && !measured_.contains(*one)) next.push_back(*one);
  }
  const torch::Tensor results = torch::zeros({static_cast<std::int64_t>(next.size()), 2}, torch::kDouble);
  Status status;
  if (rank < next.size()) {
    const auto mine = measure(next[rank]);
    if (mine) results[processes.rank()] = torch::tensor({mine->loss, mine->accuracy}, torch::kDouble);
    if (!mine) status = mine.error();
  }
  RETURN_IF_ERROR(processes.agree(status));
  processes.sum(results);
  const double* values = results.data_ptr<double>();
  for (std::size_t i = 0; i < next.size(); ++i) measured_[next[i]] = {values[2 * i], values[2 * i + 1]};
  return {};
}

void TorchEvaluator::expect(std::span<const Subnet> subnets) {
  expected_.assign(subnets.begin(), subnets.end());
}

void TorchEvaluator::forget() {
  cache_.clear();
  expected_.clear();
  measured_.clear();
}

Status TorchEvaluator::expect_neighbours(const Subnet& subnet, int count) {
  constexpr int kWorthRecording = 3;
  // Forgotten even if nothing is recorded: what an evaluation costs must not depend on steps before, which a
  // search that was killed has not repeated.
  cache_.clear();
  if (count < kWorthRecording || !norm_images_.empty() || !run_.recipe().search.reuse_activations) return {};
  cache_.record(subnet);
  evaluate_in_batches(net_, subnet, run_.data().images, validation_,
                      [&](std::size_t batch) { return cache_.recording(batch); });
  spent_ += search::evaluation_spending(run_.graph(), subnet, static_cast<std::int64_t>(validation_.size()));
  return {};
}

Result<search::Evaluation> TorchEvaluator::fine_tune(const Subnet& subnet, double target_accuracy,
                                                     int version) {
  const recipe::Recipe& recipe = run_.recipe();
  const auto& training = run_.data().training;
  const CounterRandom random(run_.seed(recipe::Stage::search), static_cast<std::uint64_t>(version));
  const auto order = random.permutation(static_cast<std::int64_t>(training.size()));
  const int batch = recipe.training.batch;
  const auto steps =
      static_cast<std::int64_t>(recipe.search.fine_tune_share * static_cast<double>(training.size())) / batch;
  const ScheduledOptimizer sgd =
      make_sgd(run_.graph(), net_.weights(), recipe.training, recipe.search.fine_tune_learning_rate);
  const SharedGradients gradients(run_.processes(), run_.graph(), net_.weights());
  const ImageBatches images = run_.shared_images();
  BatchQueue batches(images, steps, [&](std::int64_t step) {
    return images.augmented(batch_indices(training, order, step, batch), augmentation_of(recipe.data),
                            random.bits(1));
  });
  std::optional<search::Evaluation> now;  // what it was before, the search knows
  for (std::int64_t step = 0; step < steps && (!now || now->accuracy < target_accuracy); ++step) {
    const Batch taken = batches.take();
    sgd.optimizer->zero_grad();
    gradients.backward(loss_of(forward(net_, taken, subnet), targets_of(taken), 0));
    sgd.optimizer->step();
    forget();
    spent_ += search::training_spending(run_.graph(), subnet, batch);
    spent_ += cost_of_targets(taken);
    if ((step + 1) % std::max<std::int64_t>(1, steps / kLooks) == 0 || step + 1 == steps) {
      ASSIGN_OR_RETURN(now, evaluate(subnet));
    }
  }
  if (!now) {
    ASSIGN_OR_RETURN(now, evaluate(subnet));
  }
  RETURN_IF_ERROR(run_.processes().first_does(
      [&] { return write_checkpoint(weights_file(version), {.tensors = net_.weights()}); }));
  return *now;
}

Status TorchEvaluator::restore(int version) {
  ASSIGN_OR_RETURN(const Checkpoint stored, read_checkpoint(weights_file(version), run_.processes()));
  net_.assign(AveragedWeights::unpack(stored.tensors).averaged);
  forget();
  return {};
}

std::filesystem::path TorchEvaluator::weights_file(int version) const {
  if (version == 0) return run_.file(recipe::Stage::rank, "weights.pt");
  return run_.file(recipe::Stage::search, fmt::format("weights-{}.pt", version));
}

}  // namespace concertina::train
