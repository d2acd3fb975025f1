#pragma once

#include "onnx/model_file.h"

namespace concertina::onnx {

/// export_subnet() in 8 bits, as to_qdq_onnx() writes it. A row of a weight has the scale that it has in the
/// full network, so all sub-nets have the same integers. Fails if nothing was calibrated for the sub-net.
Result<std::string> export_int8(const ModelFile& model, const Subnet& subnet);
Status write_int8(const std::filesystem::path& path, const ModelFile& model, const Subnet& subnet);

}  // namespace concertina::onnx
