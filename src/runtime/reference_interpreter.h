#pragma once

#include <span>
#include <vector>

#include "concertina/result.h"
#include "graph/network.h"

namespace concertina::runtime {

/// What a network computes, node by node with the kernels' reference twins: the specification of the runtime.
/// Slow, for any network. images [batch][c][h][w] of each input, one
/// after the other -> [batch][c][h][w] of each output. Fails if a node is
/// opaque. Precondition: check_weights() accepts the network, and `images` has the right size.
Result<std::vector<float>> reference_run(const Network& network, std::span<const float> images, int batch);

/// The same of a sub-net, with its own arrays, for images that the whole network takes.
Result<std::vector<float>> reference_run(const Network& network, const Subnet& subnet, const Weights& own,
                                         std::span<const float> images, int batch);

/// Images of the network's size as the extracted sub-net takes them: scaled down to its resolution.
std::vector<float> scaled_images(const Graph& graph, const Subnet& subnet, std::span<const float> images,
                                 int batch);

}  // namespace concertina::runtime
