#pragma once

#include <optional>
#include <vector>

#include "kernels/conv.h"
#include "runtime/program.h"

namespace concertina::runtime {

/// A segment's active features.
struct PixelSegment {
  int feature = 0;  ///< its first feature's index in the full axis
  int offset = 0;   ///< its first feature's place in the pixel, in floats
  int count = 0;    ///< active features
};

/// How a sub-net's pixel of a value lies in memory (see kernels/layout.h).
struct PixelLayout {
  std::vector<PixelSegment> segments;
  int size = 0;        ///< floats that hold features or their padding
  int stride = 0;      ///< floats from one pixel to the next if the value lies alone
  bool plain = false;  ///< an input of the network that its readers take in planes: it is not in the arena

  /// Floats of the first `count` segments, with their padding.
  int before(int count) const {
    const auto i = static_cast<std::size_t>(count);
    return i < segments.size() ? segments[i].offset : size;
  }
};

/// `unit`: floats to which each segment is padded.
PixelLayout pixel_layout(const ChannelLayout& channels, const Value& value, const Subnet& subnet, int unit);

/// What a convolution reads of such a pixel.
std::vector<kernels::ChannelRange> input_ranges(const PixelLayout& input);

/// True if the same features have the same places in every sub-net. Precondition: both values have as many
/// features, in every sub-net.
bool same_layout(const ChannelLayout& channels, const Value& a, const Value& b);

/// The segment of its input with which a slice begins, if it takes whole segments.
std::optional<int> first_segment(const Graph& graph, NodeId slice);

/// A run of features that lie together in two layouts.
struct Move {
  int from = 0;
  int to = 0;
  int count = 0;
};

/// Takes every feature from its place in one layout to that in the other, in rising order of both.
std::vector<Move> moves(const PixelLayout& from, const PixelLayout& to);

}  // namespace concertina::runtime
