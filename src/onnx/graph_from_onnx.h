#pragma once

#include "graph/network.h"
#include "onnx/parse_in_place.h"

namespace concertina {

/// The network in an ONNX file. Nodes take the names of the ONNX nodes (of their outputs where those have
/// none). Identity and Dropout vanish. Its arrays hold at most `most_values` values in all (a file can name
/// one array many times). The weights are still to be checked. Every failure names
/// the culprit.
Result<Network> from_onnx(const OnnxFile& file, std::int64_t most_values);

}  // namespace concertina
