#pragma once

#include <string>
#include <utility>
#include <vector>

#include "onnx/model_file.h"
#include "onnx_subset.pb.h"

namespace concertina::onnx {

/// Everything of a model but its network, as metadata entries in order. Precondition: check_model() accepts
/// it.
std::vector<std::pair<std::string, std::string>> write_metadata(const ModelFile& model);

/// The oldest format that has all of the model.
int format_of(const ModelFile& model);

/// The reverse. Fails if an entry is missing, malformed or contradicts the network; check_model() is still to
/// be asked.
Result<ModelFile> read_metadata(Network network, const onnx::ModelProto& file);

}  // namespace concertina::onnx
