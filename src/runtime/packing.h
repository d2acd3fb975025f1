#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "concertina/model.h"
#include "graph/graph.h"
#include "kernels/conv.h"

namespace concertina::runtime {

/// The kernel that a filter is packed for.
enum class Packing {
  direct,
  depthwise,  ///< filter.groups are the channels
  grouped,
  winograd,   ///< F(4x4, 3x3)
  winograd2,  ///< F(2x2, 3x3)
  bf16,
  int8,
};

std::vector<Packing> all_packings();
std::string_view packing_name(Packing packing);
std::optional<Packing> find_packing(std::string_view name);

/// Of the tiles of Winograd's algorithm; 0 if it is not that.
constexpr int winograd_side(Packing packing) {
  return packing == Packing::winograd ? 4 : packing == Packing::winograd2 ? 2 : 0;
}

/// The filter of a convolution or linear layer, for one segment of its output.
struct LayerFilter {
  kernels::Filter filter;
  kernels::WindowArgs window = {};  ///< not of linear layers and depthwise convolutions
  std::vector<Packing> packings;    ///< for the kernels that can run it; the first by rule of thumb
  std::size_t begin = 0;            ///< floats of the layer's weights before its first
  std::vector<int> taps = {};       ///< those of the layer's taps that it has, if not all
  int layer_taps = 0;               ///< of the layer, if it has not all of them
};

/// One for each segment of the output, or one for all if the layer has groups and is not depthwise; of a
/// transposed convolution one for each of its parts, for each segment. All have the same packings, but for
/// those of depthwise convolutions. Empty for other nodes. calibrated: whether the layer can run in int8.
std::vector<LayerFilter> layer_filters(const Graph& graph, NodeId id, Precision precision, bool calibrated);

}  // namespace concertina::runtime
