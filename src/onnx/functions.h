#pragma once

#include <vector>

#include "graph/network.h"

namespace concertina::onnx {

/// Exporters that have no operator for a function write it in several: hard sigmoid as clip(x + 3, 0, 6) / 6,
/// GELU as x / 2 * (1 + erf(x / sqrt(2))), in whatever order. Where nothing else reads the parts, their last
/// node becomes the one op that they are; the others stay, unread.
void recognise_functions(std::vector<Node>& nodes, const Weights& weights,
                         const std::vector<NodeId>& outputs);

}  // namespace concertina::onnx
