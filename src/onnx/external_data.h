#pragma once

#include <filesystem>

#include "onnx/onnx_file.h"

namespace concertina::onnx {

/// Reads what tensors of `file` keep in other files (ONNX calls it external data; PyTorch writes it by
/// default) into file.external, and lets them see it. Paths are relative to `folder`, which none of them may
/// leave. Fails with the tensor's name if such a file is missing, lies outside, or ends before the tensor
/// does, and if a dynamic model records another checksum.
Status read_external_data(const std::filesystem::path& folder, OnnxFile& file);

}  // namespace concertina::onnx
