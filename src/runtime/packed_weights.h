#pragma once

#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "concertina/model.h"
#include "graph/network.h"
#include "kernels/conv.h"

namespace concertina::runtime {

/// The kernel that a filter is packed for.
enum class Packing {
  kDirect,
  kDepthwise,  ///< filter.groups are the channels
  kWinograd,
  kBf16,
};

/// The packed filter of a convolution or linear layer; of a depthwise one, that of one segment.
struct PackedFilter {
  kernels::Filter filter;
  kernels::Window window = {};  ///< not of linear layers and depthwise convolutions
  Packing packing = Packing::kDirect;
  std::size_t offset = 0;  ///< of its first float among the weights
};

/// A network's convolutions and linear layers, packed at full size. Each sub-net reads prefixes of it.
class PackedWeights {
 public:
  PackedWeights(const Network& network, Precision precision);

  std::span<const PackedFilter> filters(NodeId id) const { return filters_[static_cast<std::size_t>(id)]; }
  const float* data(const PackedFilter& filter) const { return buffer_.data() + filter.offset; }
  std::size_t bytes() const { return buffer_.size() * sizeof(float); }

 private:
  std::vector<std::vector<PackedFilter>> filters_;  ///< by node
  AlignedBuffer buffer_;
};

}  // namespace concertina::runtime
