#pragma once

#include <functional>

#include "onnx/model_file.h"

/// Which layers of a model can run in int8.
namespace concertina::runtime {

/// Whether a layer can: every sub-net that runs it has a scale for the tensor that it reads.
std::function<bool(NodeId layer)> calibrated_layers(const onnx::ModelFile& file);

/// Fails, naming a sub-net, unless each has scales.
Status check_calibrated(const onnx::ModelFile& file);

}  // namespace concertina::runtime
