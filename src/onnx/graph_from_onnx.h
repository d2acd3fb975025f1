#pragma once

#include "graph/network.h"
#include "onnx_subset.pb.h"

namespace concertina {

/// The network in an ONNX model. Nodes take the names of the ONNX nodes (of their outputs where those have
/// none). Identity and Dropout vanish. Its arrays hold at most `most_values` values in all (a file can name
/// one array many times). Every failure names the culprit.
Result<Network> from_onnx(const onnx::ModelProto& model, std::int64_t most_values);

}  // namespace concertina
