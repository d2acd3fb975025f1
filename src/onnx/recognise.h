#pragma once

#include "graph/network.h"

namespace concertina::onnx {

/// Exporters that have no operator for a function write it in several: hard sigmoid as clip(x + 3, 0, 6) / 6,
/// hard swish as x times that. Where nothing else reads the parts, they become the one op that they are.
void recognise_functions(std::vector<Node>& nodes, const Weights& weights,
                         const std::vector<NodeId>& outputs);

}  // namespace concertina::onnx
