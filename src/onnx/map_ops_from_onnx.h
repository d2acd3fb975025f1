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

/// The sliding window that a node's attributes describe over `input`: explicit or automatic padding; where
/// the output's size is rounded up (`ceil_mode`), padding at the bottom and right that makes it so. `kernel`:
/// the size if the node does not say it. Leaves attributes.done() to the caller.
Result<Window> read_window(Attributes& attributes, const std::vector<int>& kernel, const Shape& input);

}  // namespace concertina::onnx
