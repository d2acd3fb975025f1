#pragma once

#include "train/supernet.h"

namespace concertina::train {

/// Runs a graph's nodes one after another for one sub-net; see Supernet::forward().
torch::Tensor interpret(const Supernet& net, const torch::Tensor& images, const Subnet& subnet,
                        const ForwardOptions& options);

}  // namespace concertina::train
