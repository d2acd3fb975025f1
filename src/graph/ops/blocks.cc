#include "graph/ops/blocks.h"

#include <fmt/format.h>

#include <limits>

#include "base/try.h"

namespace concertina::op {
namespace {

constexpr int kMaxBlock = 32;  // bounds the parts into which channels are cut
constexpr std::int64_t kMaxSize = std::numeric_limits<int>::max();

Status check_block(int block) {
  if (block < 2 || block > kMaxBlock)
    return Error{fmt::format("its blocks have {} rows; 2 to {} are supported", block, kMaxBlock)};
  return {};
}

}  // namespace

Result<Shape> DepthToSpace::output_shape(std::span<const Shape> inputs) const {
  RETURN_IF_ERROR(check_block(block));
  const auto& [channels, height, width] = inputs[0];
  if (channels % pixels() != 0) {
    return Error{
        fmt::format("it makes blocks of {}x{} pixels, but {} channels arrive", block, block, channels)};
  }
  if (height > kMaxSize / block || width > kMaxSize / block) return Error{"its output is too large"};
  return Shape{channels / pixels(), height * block, width * block};
}

ChannelAxis DepthToSpace::output_channels(const ChannelContext& context) const {
  const ChannelAxis& input = context.inputs[0];
  ChannelAnalysis& analysis = context.analysis;
  if (order == Order::column_row_depth) return analysis.regroup(input, pixels(), 1, context.node);
  const int channels = analysis.features(input) / pixels();
  const ChannelAxis first = analysis.slice(input, 0, channels, context.node);
  for (int pixel = 1; pixel < pixels(); ++pixel) {
    const int begin = pixel * channels;
    analysis.couple(first, analysis.slice(input, begin, begin + channels, context.node), context.node);
  }
  return first;
}

Result<Shape> SpaceToDepth::output_shape(std::span<const Shape> inputs) const {
  RETURN_IF_ERROR(check_block(block));
  const auto& [channels, height, width] = inputs[0];
  if (height % block != 0 || width % block != 0) {
    return Error{fmt::format("its blocks of {}x{} do not divide {}", block, block, to_string(inputs[0]))};
  }
  if (channels > kMaxSize / pixels()) return Error{"its output is too large"};
  return Shape{channels * pixels(), height / block, width / block};
}

ChannelAxis SpaceToDepth::output_channels(const ChannelContext& context) const {
  ChannelAxis axis = context.inputs[0];
  if (order == Order::column_row_depth) {
    for (Segment& segment : axis) segment.repeat *= pixels();
    return axis;
  }
  const ChannelAxis one = axis;
  for (int pixel = 1; pixel < pixels(); ++pixel) axis.insert(axis.end(), one.begin(), one.end());
  return axis;
}

}  // namespace concertina::op
