#pragma once

#include <cstdint>
#include <vector>

#include "onnx/constant.h"
#include "onnx/view.h"

namespace concertina::onnx {

/// Whether the op only lays values out anew: Reshape, Flatten, Transpose, Squeeze, Unsqueeze.
bool is_layout_op(const std::string& type);

/// What such a node makes of a view. `batch`: the batch that the file declares, or 0. Fails, without the
/// node's name, if it touches the batch or makes something that is no view.
Result<View> laid_out(const onnx::NodeProto& node, const View& view, const std::vector<Constant>& constants,
                      std::int64_t batch);

/// The axes of a node's attribute `axes` or first constant, as indices of the dimensions behind the batch,
/// rising. `rank` counts the batch.
Result<std::vector<int>> listed_axes(const onnx::NodeProto& node, const std::vector<Constant>& constants,
                                     int rank);

/// The same of axes as a node lists them.
Result<std::vector<int>> placed_axes(const std::vector<std::int64_t>& listed, int rank);

}  // namespace concertina::onnx
