#pragma once

#include <cstdint>

#include "graph/network.h"

/// Random arrays, for timing and for tests: of about unit gain, no two alike, with positive variances.
namespace concertina {

/// All arrays of the network.
Weights random_weights(const Graph& graph);

/// The batch norms' statistics of a sub-net, at its widths.
Weights random_statistics(const Graph& graph, const Subnet& subnet, std::uint64_t seed);

/// The arrays for which `wanted` holds, at the sub-net's widths.
Weights random_arrays(const Graph& graph, const Subnet& subnet, std::uint64_t seed,
                      bool (*wanted)(const Op&, const Parameter&));

}  // namespace concertina
