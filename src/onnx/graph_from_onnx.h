#pragma once

#include <cstdint>

#include "onnx/network_file.h"
#include "onnx/onnx_file.h"

namespace concertina::onnx {

struct FromOnnxOptions {
  /// Values that the arrays may have in all: a file can name one array many times.
  std::int64_t most_values = 0;
  bool stripped = false;  ///< initializers without values are arrays of strip_model()
  ImportOptions import = {};
};

/// The network in an ONNX file, its weights still to be checked. Nodes take the names of the ONNX nodes (of
/// their outputs where those have none or are the network's). What does nothing vanishes: Identity, Dropout,
/// computations of shapes, nodes that no output needs. If the file is one that to_onnx() wrote, the graph is
/// what it was. Every failure names the culprit.
Result<ImportedNetwork> from_onnx(const OnnxFile& file, const FromOnnxOptions& options);

}  // namespace concertina::onnx
