#include "graph/channels.h"

namespace concertina {

int ChannelLayout::active_features(const ChannelAxis& axis, const Subnet& subnet) const {
  int features = 0;
  for (const Segment& segment : axis) features += active_channels(segment.dimension, subnet) * segment.repeat;
  return features;
}

std::vector<FeatureRange> ChannelLayout::active_ranges(const ChannelAxis& axis, const Subnet& subnet) const {
  std::vector<FeatureRange> ranges;
  int begin = 0;
  for (const Segment& segment : axis) {
    ranges.push_back({begin, active_channels(segment.dimension, subnet) * segment.repeat});
    begin += dimensions[segment.dimension].channels * segment.repeat;
  }
  return ranges;
}

std::vector<int> ChannelLayout::feature_order(const ChannelAxis& axis,
                                              std::span<const std::vector<int>> orders) const {
  std::vector<int> order;
  int begin = 0;
  for (const auto& [dimension, repeat] : axis) {
    const auto d = static_cast<std::size_t>(dimension);
    const int channels = dimensions[d].channels;
    for (int c = 0; c < channels; ++c) {
      const int old = d < orders.size() && !orders[d].empty() ? orders[d][c] : c;
      for (int r = 0; r < repeat; ++r) order.push_back(begin + old * repeat + r);
    }
    begin += channels * repeat;
  }
  return order;
}

}  // namespace concertina
