#pragma once

#include "graph/network.h"
#include "onnx_subset.pb.h"

namespace concertina::onnx {

/// An ONNX model of the network (IR version 8, operator set 14): values are named like the nodes that make
/// them, arrays like in `Weights`, and the batch is the symbol N. Fails if ONNX cannot express the network.
/// Precondition: check_weights() accepts it.
Result<onnx::ModelProto> to_onnx(const Network& network);

/// Fails if two values, or a value and an array, have one name: ONNX has one space of names for them.
Status check_names(const onnx::GraphProto& graph);

}  // namespace concertina::onnx
