#pragma once

#include "graph/ops/elementwise.h"

namespace concertina::op {

/// Channel shuffle: channel g * C / groups + i becomes channel i * groups + g (ShuffleNet). Which channel
/// lies where depends on all of them, so they are locked.
struct ChannelShuffle : Elementwise {
  static constexpr std::string_view kType = "ChannelShuffle";

  int groups = 1;

  Result<Shape> output_shape(std::span<const Shape> inputs) const;
  ChannelAxis output_channels(const ChannelContext& context) const;

  friend bool operator==(const ChannelShuffle&, const ChannelShuffle&) = default;
};

}  // namespace concertina::op
