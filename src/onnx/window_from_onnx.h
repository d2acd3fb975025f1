#pragma once

#include <vector>

#include "graph/ops/window.h"
#include "onnx/attributes.h"

namespace concertina::onnx {

/// The sliding window that a node's attributes describe over `input`: explicit or automatic padding; where
/// the output's size is rounded up (`ceil_mode`), padding at the bottom and right that makes it so. `kernel`:
/// the size if the node does not say it. Leaves attributes.done() to the caller.
Result<Window> read_window(Attributes& attributes, const std::vector<int>& kernel, const Shape& input);

}  // namespace concertina::onnx
