#pragma once

#include <span>
#include <vector>

#include "graph/edit.h"
#include "train/images/image_batches.h"
#include "train/supernet/supernet.h"

namespace concertina::train {

/// Gives batch norms that were put into a network the statistics of what they read, and a scale and a shift
/// that undo them: in evaluation the network computes what it did, and in training the norms start where the
/// folded ones ended. `arrays`: all of the graph's, the inserted norms' being the identity; what comes back
/// has theirs replaced. Fails if the network cannot be trained.
Result<Tensors> calibrate_norms(const Graph& graph, Tensors arrays, const std::vector<InsertedNorm>& norms,
                                const Compute& compute, const ImageBatches& images,
                                std::span<const std::int64_t> indices, int batch);

}  // namespace concertina::train
