#pragma once

#include <span>

#include "search/evaluator.h"
#include "train/image_batches.h"
#include "train/supernet.h"

namespace concertina::train {

/// Batch-norm statistics of a sub-net, estimated over the images in batches of `batch` (the last may be
/// smaller).
Tensors estimate_statistics(const Supernet& net, const Subnet& subnet, const ImageBatches& images,
                            std::span<const std::int64_t> indices, int batch);

/// Mean cross-entropy and top-1 on the images, normalised by the given statistics.
Evaluation evaluate(const Supernet& net, const Subnet& subnet, const Tensors& statistics,
                    const ImageBatches& images, std::span<const std::int64_t> indices);

}  // namespace concertina::train
