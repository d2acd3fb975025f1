#pragma once

#include <cstdint>
#include <vector>

#include "train/noise.h"
#include "train/recipe.h"
#include "train/tensors.h"

namespace concertina::train {

/// Importance of every channel, by free dimension; larger is kept longer.
using Importance = std::vector<std::vector<double>>;

/// L1 norm of the weights that produce a channel. Where several layers produce it, each is divided by its own
/// mean first, so that none outweighs the others by scale.
Importance l1_importance(const Graph& graph, const Tensors& weights);

/// 1 / a^2 of the noise scales, or a^2 if channels of small noise are to go first (METHOD section 2 has both
/// readings).
Importance noise_importance(const NoiseScales& noise, RemoveFirst remove_first);

/// Uniform random numbers: the control of a comparison.
Importance random_importance(const Graph& graph, std::uint64_t seed);

/// Leaves the channels in the order they have.
Importance equal_importance(const Graph& graph);

/// For each dimension the channels from most to least important; equal ones keep their order.
std::vector<std::vector<int>> importance_order(const Importance& importance);

}  // namespace concertina::train
