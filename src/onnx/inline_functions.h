#pragma once

#include "concertina/result.h"
#include "onnx_subset.pb.h"

namespace concertina::onnx {

/// Puts the nodes of the model's local functions in place of each call, as PyTorch's and TensorFlow's
/// exporters write them. Values and nodes inside are called "<call>/<name>". Fails, naming the call, if
/// functions call each other without end, or too many nodes come of it.
Status inline_functions(onnx::ModelProto& model);

}  // namespace concertina::onnx
