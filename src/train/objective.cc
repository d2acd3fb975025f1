#include "train/objective.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/try.h"
#include "data/label_map.h"
#include "train/images/batch_queue.h"
#include "train/supernet/tensor_ops.h"

namespace concertina::train {
namespace {

constexpr std::size_t kMostRemembered = std::size_t{1} << 29;  // bytes

std::size_t bytes_of(const std::vector<torch::Tensor>& tensors) {
  std::size_t sum = 0;
  for (const torch::Tensor& tensor : tensors) sum += tensor.nbytes();
  return sum;
}

/// Statistics of the norms; what is trained, a Supernet has.
Tensors statistics_of(const Network& network, torch::Device device) {
  Tensors statistics;
  for (NodeId id = 0; id < network.graph.size(); ++id) {
    for (const Parameter& parameter : parameters(network.graph, id)) {
      const std::string name = parameter_name(network.graph.node(id), parameter);
      if (!parameter.trainable) statistics.merge(to_tensors({{name, network.weights.at(name)}}, device));
    }
  }
  return statistics;
}

Result<std::vector<Teacher::Output>> choose_losses(const Graph& graph,
                                                   const recipe::Recipe::Distill& recipe) {
  const std::size_t count = graph.outputs().size();
  for (const auto& [key, given] :
       {std::pair{"losses", recipe.losses.size()}, {"weights", recipe.weights.size()}}) {
    if (given == 0 || given == count) continue;
    return Error{fmt::format("distill.{} has {} entries, but the network has {} outputs; give one for each",
                             key, given, count)};
  }
  std::vector<Teacher::Output> outputs;
  for (std::size_t i = 0; i < count; ++i) {
    const NodeId id = graph.outputs()[i];
    const bool softmax = std::holds_alternative<op::Softmax>(graph.node(id).op);
    const auto as = recipe.losses.empty() ? recipe::LearnedAs::automatic : recipe.losses[i];
    const bool distribution =
        as == recipe::LearnedAs::automatic ? softmax : as == recipe::LearnedAs::distribution;
    if (distribution && graph.shape(id).channels < 2) {
      return Error{
          fmt::format("distill.losses: the output '{}' has one channel, which is no distribution; "
                      "choose \"values\"",
                      graph.node(id).name)};
    }
    outputs.push_back({.node = softmax && distribution ? graph.node(id).inputs[0] : id,
                       .distribution = distribution,
                       .weight = recipe.weights.empty() ? 1 : recipe.weights[i]});
  }
  double sum = 0;
  for (const Teacher::Output& output : outputs) sum += output.weight;
  if (sum > 0) return outputs;
  return Error{"distill.weights are all 0, so nothing is learned; make one larger"};
}

/// The variance of values [n][c] or [n][c][h][w] around the mean of their channel, over several batches.
class VarianceAroundChannels {
 public:
  void add(const torch::Tensor& values) {
    const torch::Tensor by_channel = values.transpose(0, 1).flatten(1).to(torch::kDouble);
    const torch::Tensor sums = by_channel.sum(1), squares = by_channel.square().sum(1);
    sums_ = count_ == 0 ? sums : sums_ + sums;
    squares_ = count_ == 0 ? squares : squares_ + squares;
    count_ += by_channel.size(1);
  }
  /// 0 if it is no more than rounding. Precondition: there are values.
  double value() const {
    constexpr double kRounding = 1e-12;  // of the mean square
    const auto count = static_cast<double>(count_);
    const torch::Tensor squares = squares_ / count;
    const double variance = (squares - (sums_ / count).square()).mean().item<double>();
    return variance > kRounding * squares.mean().item<double>() ? variance : 0;
  }

 private:
  torch::Tensor sums_, squares_;
  std::int64_t count_ = 0;
};

torch::Tensor divergence(const torch::Tensor& scores, const torch::Tensor& taught) {
  const torch::Tensor wanted = torch::log_softmax(taught, 1);
  return (wanted.exp() * (wanted - torch::log_softmax(scores, 1))).sum(1).mean();
}

torch::Tensor squared_error(const torch::Tensor& values, const torch::Tensor& taught, double variance) {
  return (values - taught).square().mean() / variance;
}

/// The mean over the images.
torch::Tensor accuracy(const Teacher::Output& output, const torch::Tensor& values,
                       const torch::Tensor& taught) {
  if (output.distribution) return (values.argmax(1) == taught.argmax(1)).to(torch::kFloat).mean();
  return 1 - squared_error(values, taught, output.variance);
}

bool are_maps(const torch::Tensor& labels) {
  return labels.dim() == 3;
}

/// Label maps [n][h][w], of the scores' size: of each field of pixels the one in its middle.
torch::Tensor reduced_to(const torch::Tensor& scores, const torch::Tensor& maps) {
  const std::int64_t y = maps.size(1) / scores.size(2), x = maps.size(2) / scores.size(3);
  return maps.slice(1, y / 2, maps.size(1), y).slice(2, x / 2, maps.size(2), x);
}

/// How many pixels of a batch have labels, at least 1; of a part its share of that, by images.
torch::Tensor labelled_pixels(const torch::Tensor& labels, const Processes& sharers) {
  const torch::Tensor here = (labels != data::kUnlabelled).sum();
  if (sharers.alone()) return here.clamp_min(1);
  const auto images = static_cast<double>(labels.size(0));
  const torch::Tensor all = torch::tensor({here.item<double>(), images}, torch::kDouble);
  sharers.sum(all);
  return (all[0].clamp_min(1) * images / all[1]).to(labels.device(), torch::kFloat);
}

/// Zero if no pixel has a label.
torch::Tensor pixel_loss(const torch::Tensor& scores, const torch::Tensor& maps, double smoothing,
                         const Processes& sharers) {
  torch::Tensor labels = reduced_to(scores, maps);
  // A class that the network does not know, as test images may have, can be wrong but has no loss.
  labels = labels.masked_fill(labels >= scores.size(1), data::kUnlabelled);
  const auto options = torch::nn::functional::CrossEntropyFuncOptions()
                           .ignore_index(data::kUnlabelled)
                           .label_smoothing(smoothing)
                           .reduction(torch::kSum);
  const torch::Tensor labelled = labelled_pixels(labels, sharers);
  return torch::nn::functional::cross_entropy(scores, labels, options) / labelled;
}

torch::Tensor learned_loss(const torch::Tensor& scores, const Targets& targets, double smoothing) {
  const torch::Tensor& labels = targets.labels;
  return are_maps(labels) ? pixel_loss(scores, labels, smoothing, targets.sharers)
                          : label_loss(scores, labels, smoothing);
}

constexpr std::int64_t kLabelValues = 256;  // of a pixel

/// How many there are of each: [kLabelValues].
torch::Tensor count(const torch::Tensor& classes) {
  return torch::bincount(classes, {}, kLabelValues);
}

}  // namespace

Result<std::shared_ptr<const Teacher>> Teacher::make(const Network& network,
                                                     const recipe::Recipe::Distill& recipe,
                                                     const Compute& compute, const ImageBatches& images,
                                                     std::span<const std::int64_t> indices) {
  ASSIGN_OR_RETURN(std::vector<Output> outputs, choose_losses(network.graph, recipe));
  const Tensors weights = to_tensors(network.weights, compute.device);
  ASSIGN_OR_RETURN(Supernet quick, Supernet::make(network.graph, weights, compute));
  ASSIGN_OR_RETURN(Supernet exact, Supernet::make(network.graph, weights, compute.with(Precision::fp32)));
  std::shared_ptr<Teacher> teacher(
      new Teacher(std::move(quick), std::move(exact), statistics_of(network, compute.device)));
  for (const Output& output : outputs) teacher->nodes_.push_back(output.node);
  constexpr std::size_t kBatch = 128;
  std::vector<VarianceAroundChannels> variances(outputs.size());
  std::vector<std::span<const std::int64_t>> parts;
  for (std::size_t begin = 0; begin < indices.size(); begin += kBatch)
    parts.push_back(indices.subspan(begin, std::min(kBatch, indices.size() - begin)));
  BatchQueue batches(images, parts);
  for (std::size_t part = 0; part < parts.size(); ++part) {
    const std::vector<torch::Tensor> taught = teacher->compute(teacher->exact_, batches.take());
    RETURN_IF_ERROR(images.status());
    for (std::size_t i = 0; i < outputs.size(); ++i) variances[i].add(taught[i]);
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].distribution) continue;
    outputs[i].variance = variances[i].value();
    if (outputs[i].variance > 0) continue;
    return Error{fmt::format(
        "the output '{}' is the same for all images, so there is nothing to learn; name others in network.output",
        network.graph.node(outputs[i].node).name)};
  }
  teacher->outputs_ = std::move(outputs);
  return std::shared_ptr<const Teacher>(std::move(teacher));
}

std::vector<torch::Tensor> Teacher::compute(const Supernet& net, const Batch& batch) const {
  const torch::NoGradGuard no_grad;
  return net.values(batch.inputs, nodes_, full_subnet(net.graph()), {.statistics = &statistics_});
}

std::vector<torch::Tensor> Teacher::teach(const Batch& batch) const {
  const auto found = batch.key == 0 ? remembered_.end() : remembered_.find(batch.key);
  if (found != remembered_.end()) return found->second;
  std::vector<torch::Tensor> taught = compute(batch.key == 0 ? quick_ : exact_, batch);
  const std::size_t bytes = bytes_of(taught);
  if (batch.key != 0 && remembered_bytes_ + bytes <= kMostRemembered) {
    remembered_[batch.key] = taught;
    remembered_bytes_ += bytes;
  }
  return taught;
}

search::Spending Teacher::cost(std::int64_t images) const {
  return search::evaluation_spending(exact_.graph(), full_subnet(exact_.graph()), images);
}

Targets targets_of(const Batch& batch) {
  Targets targets{.labels = batch.labels, .teacher = batch.teacher, .taught = {}, .sharers = batch.sharers};
  if (batch.teacher) targets.taught = batch.teacher->teach(batch);
  return targets;
}

search::Spending cost_of_targets(const Batch& batch) {
  return batch.teacher ? batch.teacher->cost(batch.size()) : search::Spending{};
}

Outputs forward(const Supernet& net, const Batch& batch, const Subnet& subnet, ForwardOptions options) {
  options.sharers = batch.sharers;
  const NodeId first = net.graph().output();
  Outputs outputs = net.values(batch.inputs, batch.teacher ? batch.teacher->nodes() : std::span(&first, 1),
                               subnet, options);
  if (are_maps(batch.labels) && outputs[0].size(1) == 1)
    outputs[0] = torch::cat({torch::zeros_like(outputs[0]), outputs[0]}, 1);
  return outputs;
}

torch::Tensor loss_of(const Outputs& outputs, const Targets& targets, double label_smoothing) {
  if (!targets.teacher) return learned_loss(outputs[0], targets, label_smoothing);
  torch::Tensor sum;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Teacher::Output& output = targets.teacher->outputs()[i];
    const torch::Tensor loss =
        output.weight * (output.distribution ? divergence(outputs[i], targets.taught[i])
                                             : squared_error(outputs[i], targets.taught[i], output.variance));
    sum = sum.defined() ? sum + loss : loss;
  }
  return sum;
}

void Score::add(const Outputs& outputs, const Targets& targets) {
  const std::int64_t images = targets.labels.size(0);
  const auto add_all = [&](torch::Tensor& sum, const torch::Tensor& part) {
    targets.sharers.sum(part);
    sum = sum.defined() ? sum + part : part;
  };
  const auto add_to = [&](torch::Tensor& sum, const torch::Tensor& mean) { add_all(sum, mean * images); };
  if (accuracies_.empty()) {
    accuracies_.resize(outputs.size());
    weights_ = {1};
    if (targets.teacher) {
      weights_.clear();
      for (const Teacher::Output& output : targets.teacher->outputs()) weights_.push_back(output.weight);
    }
  }
  const torch::Tensor all_images = torch::tensor(images);
  targets.sharers.sum(all_images);
  images_ += all_images.item<std::int64_t>();
  add_to(loss_, loss_of(outputs, targets, 0));
  if (are_maps(targets.labels)) {
    const torch::Tensor maps = reduced_to(outputs[0], targets.labels).flatten();
    const torch::Tensor known = maps != data::kUnlabelled;
    const torch::Tensor labels = maps.masked_select(known);
    const torch::Tensor found = outputs[0].argmax(1).flatten().masked_select(known);
    const torch::Tensor agreed = count(labels.masked_select(labels == found));
    const torch::Tensor either = count(labels) + count(found) - agreed;
    add_all(agreed_, agreed);
    add_all(either_, either);
    return;
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    add_to(accuracies_[i], targets.teacher
                               ? accuracy(targets.teacher->outputs()[i], outputs[i], targets.taught[i])
                               : (outputs[i].argmax(1) == targets.labels).to(torch::kFloat).mean());
  }
}

search::Evaluation Score::mean() const {
  const auto count = static_cast<double>(images_);
  if (agreed_.defined()) {
    const torch::Tensor seen = either_ > 0;
    const torch::Tensor shares =
        agreed_.masked_select(seen).to(torch::kDouble) / either_.masked_select(seen).to(torch::kDouble);
    return {.loss = loss_.item<double>() / count,
            .accuracy = shares.numel() > 0 ? shares.mean().item<double>() : 0};
  }
  double accuracy = 0, weight = 0;
  for (std::size_t i = 0; i < accuracies_.size(); ++i) {
    accuracy += weights_[i] * std::clamp(accuracies_[i].item<double>() / count, 0.0, 1.0);
    weight += weights_[i];
  }
  return {.loss = loss_.item<double>() / count, .accuracy = accuracy / weight};
}

}  // namespace concertina::train
