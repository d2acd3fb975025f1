#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "concertina/result.h"
#include "onnx/network_file.h"
#include "onnx_subset.pb.h"

namespace concertina::onnx {

/// The bytes of a model, sealed if it is a dynamic one of this format. Fails above protobuf's limit.
Result<std::string> serialize(const onnx::ModelProto& model, std::optional<int> format = {});

/// Writes an ONNX file. If it would have more than `most` bytes, the values of its arrays go to a file beside
/// it, as external data: `path` with ".", their checksum() and ".data" behind it. A dynamic model also
/// records the checksum. The data is written first, under a name that no other content has, so what lay at
/// `path` stays whole until it is replaced; data that then belongs to no file is deleted. Fails if a file
/// cannot be written, or without its arrays still exceeds the limit.
Status write_onnx(const std::filesystem::path& path, onnx::ModelProto model, std::optional<int> format = {},
                  std::size_t most = kMostBytes);

}  // namespace concertina::onnx
