#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "onnx/model_file.h"
#include "onnx_subset.pb.h"

namespace concertina::onnx {

/// The metadata entry of the sub-nets' scales and zero points.
inline constexpr std::string_view kQuantization = "concertina.quantization";

/// Whether any sub-net has some.
bool has_quantization(const ModelFile& model);

/// The entry's JSON. Precondition: check_model() accepts the model.
std::string write_quantization(const ModelFile& model);

/// The reverse, into the records, which are all of the file's; nothing if the file has no such entry. Fails
/// if the entry is malformed; check_model() is still to be asked.
Status read_quantization(const onnx::ModelProto& file, std::vector<SubnetRecord>& records);

}  // namespace concertina::onnx
