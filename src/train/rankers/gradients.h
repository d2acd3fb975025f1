#pragma once

#include <functional>

#include "train/rankers/rankers.h"

namespace concertina::train {

/// Of one layer's weights [out][...] and the loss's gradient on a batch: a score for each output channel.
using GradientScore =
    std::function<torch::Tensor(const torch::Tensor& weight, const torch::Tensor& gradient)>;

/// Ranks by scores that are summed over rank.batches training batches, on which the full network of `weights`
/// runs forward and backward without being changed. `by_mean` as in ImportanceSum.
Result<Ranking> rank_by_gradients(const Run& run, const Tensors& weights, const GradientScore& score,
                                  bool by_mean);

}  // namespace concertina::train
