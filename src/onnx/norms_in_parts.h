#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "onnx_subset.pb.h"

namespace concertina::onnx {

/// Nodes that together are (x - mean) / sqrt(variance + epsilon), perhaps times a constant, perhaps plus
/// another: a layer norm, an instance norm or the like, as exporters write it before operator set 17.
struct NormInParts {
  std::vector<int> nodes = {};  ///< by their numbers, in order; the last makes the result
  std::string x = {};
  std::vector<std::int64_t> axes = {};  ///< of the means
  float epsilon = 0;
  std::string weight = {}, bias = {};  ///< constants; empty: none
};

/// All that there are. No other node reads what their inner nodes make. `raw_data`: of the initializers.
std::vector<NormInParts> find_norms(const onnx::GraphProto& graph,
                                    const std::vector<std::string_view>& raw_data);

}  // namespace concertina::onnx
