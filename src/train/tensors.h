#pragma once

#include <map>
#include <string>

#include "graph/network.h"
#include "train/torch.h"

namespace concertina::train {

/// Tensors by the names that Weights uses.
using Tensors = std::map<std::string, torch::Tensor>;

/// Copies; fp32 on the given device.
Tensors to_tensors(const Weights& weights, torch::Device device);
Weights to_weights(const Tensors& tensors);

/// Fresh weights for every trainable parameter: He-normal convolutions (fan out), uniform linear layers
/// (1 / sqrt(fan in)), other scales 1 and shifts 0. A function of the seed.
Tensors initial_tensors(const Graph& graph, std::uint64_t seed);

}  // namespace concertina::train
