#pragma once

#include <functional>
#include <span>

#include "search/evaluator.h"
#include "train/images/image_batches.h"
#include "train/supernet/supernet.h"

namespace concertina::train {

using BatchOptions = std::function<ForwardOptions(std::size_t batch)>;

/// Batch-norm statistics of a sub-net, estimated over the images in batches of `batch` (the last may be
/// smaller). `own` are parameters of its own, if any.
Tensors estimate_statistics(const Supernet& net, const Subnet& subnet, const Tensors& own,
                            const ImageBatches& images, std::span<const std::int64_t> indices, int batch);

/// The statistics that the batch norms' inputs have in passes with `options`, over batches as above.
Tensors collect_statistics(const Supernet& net, const Subnet& subnet, ForwardOptions options,
                           const ImageBatches& images, std::span<const std::int64_t> indices, int batch);

/// Mean loss and accuracy on the images (objective.h), each batch of 500 (fewer above 64 x 64 pixels)
/// normalised by its own statistics: good for comparing sub-nets without the cost of estimating statistics,
/// not for stating an accuracy.
/// `options_of(i)`, if given, is for the i-th pass.
search::Evaluation evaluate_in_batches(const Supernet& net, const Subnet& subnet, const ImageBatches& images,
                                       std::span<const std::int64_t> indices,
                                       const BatchOptions& options_of = {});

/// Mean loss and accuracy on the images. `own` are the sub-net's statistics, and parameters if it has
/// any.
search::Evaluation evaluate(const Supernet& net, const Subnet& subnet, const Tensors& own,
                            const ImageBatches& images, std::span<const std::int64_t> indices);

}  // namespace concertina::train
