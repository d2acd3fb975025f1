#pragma once

#include <functional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/aligned_buffer.h"
#include "graph/network.h"
#include "runtime/packing.h"

namespace concertina::runtime {

/// A LayerFilter, packed for one kernel, or for several.
struct PackedFilter : LayerFilter {
  Packing packing = Packing::direct;
  std::size_t offset = 0;  ///< of its first float among the weights
  /// Its first channels, packed for the direct kernel as well: of a filter that only pays where many are
  /// left.
  kernels::Filter few = {.out_channels = 0};
  std::size_t few_offset = 0;
  std::vector<PackedFilter> others = {};  ///< the same filter in its further packings
};

/// Chooses one of the filter's packings, or several if sub-nets need different ones.
using ChoosePackings = std::function<std::vector<Packing>(const Node& node, const LayerFilter& filter)>;

/// What the filter takes in one of its packings.
std::size_t packed_bytes(const LayerFilter& filter, Packing packing);

/// A network's convolutions and linear layers, packed at full size. Each sub-net reads prefixes of it. Layers
/// that share an array read one copy of it, if they are packed alike.
class PackedWeights {
 public:
  /// calibrated: of each layer, as in layer_filters().
  PackedWeights(const Network& network, Precision precision, const std::function<bool(NodeId)>& calibrated,
                const ChoosePackings& choose);

  /// Those of a layer, known by its name; none of other nodes.
  std::span<const PackedFilter> filters(const Node& node) const;
  const float* data(const PackedFilter& filter) const { return buffer_.data() + filter.offset; }
  const float* few_data(const PackedFilter& filter) const { return buffer_.data() + filter.few_offset; }
  std::size_t bytes() const { return buffer_.size() * sizeof(float); }

 private:
  std::unordered_map<std::string, std::vector<PackedFilter>> filters_;  ///< by node
  AlignedBuffer buffer_;
};

}  // namespace concertina::runtime
