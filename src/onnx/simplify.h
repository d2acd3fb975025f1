#pragma once

#include <vector>

#include "graph/network.h"

/// Networks of fewer nodes that compute the same.
namespace concertina::onnx {

/// A batch norm that alone reads a convolution goes into the convolution's weights and bias (computed in
/// double precision). Precondition: check_network() accepts the network.
Network fold_batch_norm(const Network& network);

/// Exporters that have no operator for a function write it in several: hard sigmoid as clip(x + 3, 0, 6) / 6,
/// hard swish as x times that. Where nothing else reads the parts, they become the one op that they are.
void recognise_functions(std::vector<Node>& nodes, const Weights& weights,
                         const std::vector<NodeId>& outputs);

}  // namespace concertina::onnx
