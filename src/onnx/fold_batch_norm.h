#pragma once

#include "graph/network.h"

namespace concertina::onnx {

/// A network of fewer nodes that computes the same: a batch norm that alone reads a convolution goes into the
/// convolution's weights and bias (computed in double precision), unless they share arrays with other nodes.
/// Precondition: check_network() accepts the network.
Network fold_batch_norm(const Network& network);

}  // namespace concertina::onnx
