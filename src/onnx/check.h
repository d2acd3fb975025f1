#pragma once

#include "onnx/model_file.h"

namespace concertina::onnx {

/// Fails unless check_weights() accepts the weights and every batch norm divides by something positive.
Status check_network(const Network& network);

/// Fails, with one sentence that names the culprit, unless the model keeps every promise of ModelFile.
/// Besides: accuracies are between 0 and 1, numbers are finite, variances and standard deviations sensible,
/// and names are UTF-8.
Status check_model(const ModelFile& model);

}  // namespace concertina::onnx
