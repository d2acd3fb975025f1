#pragma once

#include <optional>
#include <string_view>

#include "graph/network.h"
#include "onnx_subset.pb.h"

namespace concertina {

/// The value of the metadata entry `key`, if the model has one.
std::optional<std::string_view> find_metadata(const onnx::ModelProto& model, std::string_view key);

/// The message in the bytes of an ONNX file. If it is a dynamic model, its format is known and its seal
/// unbroken.
Result<onnx::ModelProto> parse_onnx(std::string_view bytes);

/// The sound network of a model that was parsed from `bytes` bytes.
Result<Network> network_of(const onnx::ModelProto& model, std::size_t bytes);

}  // namespace concertina
