#pragma once

#include "graph/ops/elementwise.h"

namespace concertina::op {

/// What ops share that move the pixels of square blocks to channels, or back. The pixels of a block are
/// counted by rows.
struct Blocks : Elementwise {
  enum class Order {
    depth_column_row,  ///< channels [pixel of the block][channel]: ONNX's DCR
    column_row_depth   ///< channels [channel][pixel of the block]: CRD, as in PyTorch's PixelShuffle
  };

  int block = 2;
  Order order = Order::depth_column_row;

  int pixels() const { return block * block; }

  /// Which of the deep map's channels holds one pixel of each block of a channel. channels: of the wide map.
  int deep_channel(int channel, int pixel, int channels) const {
    return order == Order::depth_column_row ? pixel * channels + channel : channel * pixels() + pixel;
  }

  friend bool operator==(const Blocks&, const Blocks&) = default;
};

/// Channels become the pixels of blocks. The channels of one block are what one channel is made of, so they
/// shrink together.
struct DepthToSpace : Blocks {
  static constexpr std::string_view kType = "DepthToSpace";

  Result<Shape> output_shape(std::span<const Shape> inputs) const;
  ChannelAxis output_channels(const ChannelContext& context) const;

  friend bool operator==(const DepthToSpace&, const DepthToSpace&) = default;
};

/// The pixels of blocks become channels: a channel shrinks with all that are made of it.
struct SpaceToDepth : Blocks {
  static constexpr std::string_view kType = "SpaceToDepth";

  Result<Shape> output_shape(std::span<const Shape> inputs) const;
  ChannelAxis output_channels(const ChannelContext& context) const;

  friend bool operator==(const SpaceToDepth&, const SpaceToDepth&) = default;
};

}  // namespace concertina::op
