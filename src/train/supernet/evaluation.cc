#include "train/supernet/evaluation.h"

#include <algorithm>

#include "train/images/batch_queue.h"
#include "train/objective.h"

namespace concertina::train {
namespace {

/// Large enough that the cost of starting an op does not show, and fewer of large images, whose activations
/// would not fit.
std::size_t evaluation_batch(const Shape& image) {
  constexpr std::int64_t kMost = 500, kFewest = 32, kPixels = kMost * 64 * 64;
  return static_cast<std::size_t>(
      std::clamp(kPixels / (std::int64_t{image.height} * image.width), kFewest, kMost));
}

search::Evaluation evaluate_with(const Supernet& net, const Subnet& subnet, const ImageBatches& images,
                                 std::span<const std::int64_t> indices, const BatchOptions& options_of) {
  const torch::NoGradGuard no_grad;
  Score score;
  std::size_t number = 0;
  for_each_batch(images, indices, evaluation_batch(net.graph().shape(0)), [&](const Batch& batch) {
    score.add(forward(net, batch, subnet, options_of(number++)), targets_of(batch));
  });
  return score.mean();
}

}  // namespace

Tensors estimate_statistics(const Supernet& net, const Subnet& subnet, const Tensors& own,
                            const ImageBatches& images, std::span<const std::int64_t> indices, int batch) {
  return collect_statistics(net, subnet, {.own = &own}, images, indices, batch);
}

Tensors collect_statistics(const Supernet& net, const Subnet& subnet, ForwardOptions options,
                           const ImageBatches& images, std::span<const std::int64_t> indices, int batch) {
  const torch::NoGradGuard no_grad;
  StatisticsCollector collector;
  options.collector = &collector;
  for_each_batch(images, indices, static_cast<std::size_t>(batch),
                 [&](const Batch& part) { forward(net, part, subnet, options); });
  return collector.result();
}

search::Evaluation evaluate_in_batches(const Supernet& net, const Subnet& subnet, const ImageBatches& images,
                                       std::span<const std::int64_t> indices,
                                       const BatchOptions& options_of) {
  return evaluate_with(net, subnet, images, indices,
                       [&](std::size_t batch) { return options_of ? options_of(batch) : ForwardOptions{}; });
}

search::Evaluation evaluate(const Supernet& net, const Subnet& subnet, const Tensors& own,
                            const ImageBatches& images, std::span<const std::int64_t> indices) {
  return evaluate_with(net, subnet, images, indices,
                       [&](std::size_t) { return ForwardOptions{.statistics = &own, .own = &own}; });
}

}  // namespace concertina::train
