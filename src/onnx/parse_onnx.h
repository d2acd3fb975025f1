#pragma once

#include <optional>
#include <string_view>

#include "concertina/result.h"
#include "onnx/parse_in_place.h"

namespace concertina::onnx {

/// The value of the metadata entry `key`, if the model has one.
std::optional<std::string_view> find_metadata(const onnx::ModelProto& model, std::string_view key);

/// The bytes of an ONNX file, which must outlive what is returned. If it is a dynamic model, its format is
/// known and its seal unbroken.
Result<OnnxFile> parse_onnx(std::string_view bytes);

}  // namespace concertina::onnx
