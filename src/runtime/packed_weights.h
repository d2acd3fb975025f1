#pragma once

#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/kept_file.h"
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
  /// Where everything will lie: pack() or take() must follow. calibrated: of each layer, as in
  /// layer_filters().
  PackedWeights(const Graph& graph, Precision precision, const std::function<bool(NodeId)>& calibrated,
                const ChoosePackings& choose);

  /// Packs the arrays of the network that has this graph.
  void pack(const Network& network);

  /// Takes what pack() has written to bytes() of a file, from its beginning on, for a network with the same
  /// arrays and weights with the same layout().
  void take(KeptFile file);

  /// Changes with all that decides what pack() makes of the arrays' values, as far as the graph and the
  /// choices decide it.
  std::string layout() const;

  /// The arrays that pack() reads.
  const std::set<std::string>& arrays() const { return arrays_; }

  /// Those of a layer, known by its name; none of other nodes.
  std::span<const PackedFilter> filters(const Node& node) const;
  const float* data(const PackedFilter& filter) const { return begin() + filter.offset; }
  const float* few_data(const PackedFilter& filter) const { return begin() + filter.few_offset; }
  std::size_t bytes() const { return floats_ * sizeof(float); }
  std::string_view view() const { return {reinterpret_cast<const char*>(begin()), bytes()}; }

  /// Filters that pack() has packed, here and in this process.
  int filters_packed() const { return filters_packed_; }

 private:
  const float* begin() const {
    return file_ ? reinterpret_cast<const float*>(file_->view().data()) : buffer_.data();
  }

  std::unordered_map<std::string, std::vector<PackedFilter>> filters_;  ///< by node
  std::set<std::string> arrays_;
  std::size_t floats_ = 0;
  AlignedBuffer buffer_;
  std::optional<KeptFile> file_;  ///< in place of the buffer
  int filters_packed_ = 0;
};

/// Changes with what the packing functions make of a filter: with the machine's instruction set, and where
/// another version of the library packs otherwise.
std::string packing_fingerprint();

}  // namespace concertina::runtime
