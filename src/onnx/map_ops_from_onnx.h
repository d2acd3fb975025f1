#pragma once

#include <vector>

#include "onnx/attributes.h"
#include "onnx/op_from_onnx.h"

namespace concertina::onnx {

/// Whether constant `i` is there.
bool has(const OpSource& source, std::size_t i);

/// A list of whole numbers: an attribute in older operator sets, constant `i` since.
Result<std::vector<std::int64_t>> listed(const OpSource& source, Attributes& attributes, const char* name,
                                         std::size_t i);

/// Pad; Resize and Upsample: what changes a map's rows and columns. See read_op().
Result<OpWithArrays> read_pad(const OpSource& source);
Result<OpWithArrays> read_resize(const OpSource& source);

}  // namespace concertina::onnx
