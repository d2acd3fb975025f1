#pragma once

#include <functional>

#include "train/run.h"
#include "train/supernet.h"

namespace concertina::train {

/// Runs the full network of `weights` forward and backward on rank.batches training batches, without changing
/// it, and calls visit(net) after each; the gradients are in net.weights().
Result<Spending> for_each_gradient(const Run& run, const Tensors& weights,
                                   const std::function<void(const Supernet& net)>& visit);

}  // namespace concertina::train
