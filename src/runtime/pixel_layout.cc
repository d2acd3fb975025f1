#include "runtime/pixel_layout.h"

#include <algorithm>

namespace concertina::runtime {
namespace {

// Pixels so many floats apart, or a multiple, compete for few sets of the first-level cache, where a tile of
// a convolution needs more than ten of them at a time.
constexpr int kCollidingStride = 256;

/// The features of each segment at full size.
std::vector<int> full_counts(const ChannelLayout& channels, const Value& value) {
  std::vector<int> counts;
  for (const Segment& segment : value.axis) {
    const int count = channels.dimensions[segment.dimension].channels * segment.repeat;
    if (value.joined && !counts.empty()) {
      counts.back() += count;
    } else {
      counts.push_back(count);
    }
  }
  return counts;
}

}  // namespace

PixelLayout pixel_layout(const ChannelLayout& channels, const Value& value, const Subnet& subnet, int unit) {
  PixelLayout layout;
  for (const auto& [begin, count] : channels.active_ranges(value.axis, subnet)) {
    if (value.joined && !layout.segments.empty()) {
      layout.segments.back().count += count;
      layout.size = kernels::round_up(layout.segments.back().count, unit);
    } else {
      layout.segments.push_back({.feature = begin, .offset = layout.size, .count = count});
      layout.size += kernels::round_up(count, unit);
    }
  }
  if (value.dense) layout.size = layout.segments.back().offset + layout.segments.back().count;
  const bool collides = value.pixels() > 1 && layout.size % kCollidingStride == 0;
  layout.stride = layout.size + (value.spare || collides ? unit : 0);
  return layout;
}

std::vector<kernels::ChannelRange> input_ranges(const PixelLayout& input) {
  std::vector<kernels::ChannelRange> ranges;
  for (const auto& [feature, offset, count] : input.segments) {
    ranges.push_back({.weight_begin = feature, .input_offset = offset, .count = count});
  }
  return ranges;
}

// Axes of one length whose segments differ were coupled with locks, so they differ in no sub-net.
bool same_layout(const ChannelLayout& channels, const Value& a, const Value& b) {
  return full_counts(channels, a) == full_counts(channels, b);
}

std::optional<int> first_segment(const Graph& graph, NodeId slice) {
  const ChannelAxis& from = graph.axis(graph.node(slice).inputs[0]);
  const ChannelAxis& part = graph.axis(slice);
  int feature = std::get_if<op::Slice>(&graph.node(slice).op)->begin;
  std::size_t first = 0;
  for (; first < from.size() && feature > 0; ++first) {
    const auto& [dimension, repeat] = from[first];
    feature -= graph.layout().dimensions[dimension].channels * repeat;
  }
  const bool fits = feature == 0 && first + part.size() <= from.size() &&
                    std::equal(part.begin(), part.end(), from.begin() + static_cast<std::ptrdiff_t>(first));
  return fits ? std::optional(static_cast<int>(first)) : std::nullopt;
}

std::vector<Move> moves(const PixelLayout& from, const PixelLayout& to) {
  std::vector<Move> list;
  std::size_t i = 0;
  std::size_t j = 0;
  int done_from = 0;
  int done_to = 0;
  while (i < from.segments.size() && j < to.segments.size()) {
    const PixelSegment& a = from.segments[i];
    const PixelSegment& b = to.segments[j];
    const int count = std::min(a.count - done_from, b.count - done_to);
    list.push_back({.from = a.offset + done_from, .to = b.offset + done_to, .count = count});
    done_from += count;
    done_to += count;
    if (done_from == a.count) done_from = 0, ++i;
    if (done_to == b.count) done_to = 0, ++j;
  }
  return list;
}

}  // namespace concertina::runtime
