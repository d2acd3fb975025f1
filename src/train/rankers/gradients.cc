#include <functional>

#include "base/random.h"
#include "base/try.h"
#include "train/distributed/shared_gradients.h"
#include "train/images/batch_queue.h"
#include "train/rankers/rankers.h"
#include "train/supernet/tensor_ops.h"

namespace concertina::train {
namespace {

/// The scores that one batch's gradients give a node's output channels; undefined for nodes without a say.
using GradientScore = std::function<torch::Tensor(NodeId)>;

/// A parameter of the network, and the loss's gradient; undefined if nothing of it reaches the loss.
struct Weighed {
  torch::Tensor value, gradient;
};

Weighed weighed(const Supernet& net, NodeId id, const char* parameter) {
  const auto found = net.weights().find(parameter_name(net.graph().node(id), parameter));
  if (found == net.weights().end()) return {};
  return {found->second.detach(), found->second.grad()};
}

/// Adds up scores over rank.batches training batches, on which the full network runs forward and backward
/// without being changed. `by_mean` as in ImportanceSum.
Result<Ranking> rank_by_gradients(const Run& run, const Supernet& net, const GradientScore& score,
                                  bool by_mean) {
  const recipe::Recipe& recipe = run.recipe();
  const std::span<const std::int64_t> training = run.data().training;
  const auto batches = std::min<std::int64_t>(
      recipe.rank.batches, static_cast<std::int64_t>(training.size()) / recipe.training.batch);
  const Subnet full = full_subnet(run.graph());
  const auto order =
      CounterRandom(run.seed(recipe::Stage::rank)).permutation(static_cast<std::int64_t>(training.size()));
  search::Spending spent;
  std::map<NodeId, torch::Tensor> scores;
  const ImageBatches images = run.shared_images();
  const SharedGradients gradients(run.processes(), run.graph(), net.weights());
  BatchQueue queue(images, batches, [&](std::int64_t i) {
    return images.batch(batch_indices(training, order, i, recipe.training.batch));
  });
  run.progress().start("rank", batches);
  for (std::int64_t i = 0; i < batches; ++i) {
    for (const auto& [name, tensor] : net.weights()) torch::Tensor(tensor).mutable_grad() = torch::Tensor();
    const Batch batch = queue.take();
    gradients.backward(loss_of(forward(net, batch, full), targets_of(batch), 0));
    spent += cost_of_targets(batch);
    spent += search::training_spending(run.graph(), full, recipe.training.batch);
    for (NodeId id = 0; id < run.graph().size(); ++id) {
      const torch::Tensor of_batch = score(id);
      if (!of_batch.defined()) continue;
      torch::Tensor& sum = scores[id];
      sum = sum.defined() ? sum + of_batch : of_batch;
    }
    run.progress().update(i + 1, "");
  }
  ImportanceSum sum(run.graph(), by_mean);
  for (const auto& [id, of_node] : scores) sum.add(run.graph().axis(id), of_node);
  return Ranking{sum.result(), spent};
}

}  // namespace

torch::Tensor taylor_score(const Supernet& net, NodeId id) {
  const auto& [name, op, inputs, tied] = net.graph().node(id);
  if (tied.contains("weight")) return {};  // its owner's gradient is that of all
  if (std::holds_alternative<op::BatchNorm>(op)) {
    const auto [scale, of_scale] = weighed(net, id, "weight");
    const auto [shift, of_shift] = weighed(net, id, "bias");
    if (!of_scale.defined()) return {};
    return (scale * of_scale + shift * of_shift).abs();
  }
  if (net.normalized(id) || !(std::holds_alternative<op::Conv>(op) || std::holds_alternative<op::Linear>(op)))
    return {};
  const auto [weight, gradient] = weighed(net, id, "weight");
  return gradient.defined() ? (weight * gradient).flatten(1).sum(1).abs() : torch::Tensor();
}

torch::Tensor fisher_score(const Supernet& net, NodeId id) {
  const auto& [name, op, inputs, tied] = net.graph().node(id);
  if (tied.contains("weight") ||
      !(std::holds_alternative<op::Conv>(op) || std::holds_alternative<op::Linear>(op)))
    return {};
  const auto [weight, gradient] = weighed(net, id, "weight");
  if (!gradient.defined()) return {};
  return weight.flatten(1).square().mean(1) * gradient.flatten(1).square().sum(1);
}

Result<Ranking> taylor_ranking(const Run& run, const Tensors& weights) {
  ASSIGN_OR_RETURN(const Supernet net, run.supernet(weights));
  return rank_by_gradients(
      run, net, [&](NodeId id) { return taylor_score(net, id); }, true);
}

Result<Ranking> fisher_ranking(const Run& run, const Tensors& weights) {
  ASSIGN_OR_RETURN(const Supernet net, run.supernet(weights));
  // The size of the weights already makes the layers of a dimension comparable.
  return rank_by_gradients(
      run, net, [&](NodeId id) { return fisher_score(net, id); }, false);
}

}  // namespace concertina::train
