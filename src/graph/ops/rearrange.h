#pragma once

#include "graph/ops/elementwise.h"

namespace concertina::op {

/// Concatenation along the channels; each input keeps its own dimensions as segments of the result.
struct Concat : Elementwise {
  static constexpr std::string_view kType = "Concat";
  static constexpr int kInputs = 0;

  Result<Shape> output_shape(std::span<const Shape> inputs) const;
  ChannelAxis output_channels(const ChannelContext& context) const;

  friend bool operator==(const Concat&, const Concat&) = default;
};

/// The channels from `begin` up to, and without, `end`. A layer whose channels are sliced has a dimension for
/// each part.
struct Slice : Elementwise {
  static constexpr std::string_view kType = "Slice";

  int begin = 0;
  int end = 0;

  Result<Shape> output_shape(std::span<const Shape> inputs) const;
  ChannelAxis output_channels(const ChannelContext& context) const;
  void resize(const ActiveFeatures& active);

  friend bool operator==(const Slice&, const Slice&) = default;
};

/// Channels of zeros before and after those of the input, as in a shortcut without parameters (He 2015,
/// option A). They are channels of their own, and shrink with what they are added to.
struct PadChannels : Elementwise {
  static constexpr std::string_view kType = "PadChannels";

  int before = 0;
  int after = 0;

  Result<Shape> output_shape(std::span<const Shape> inputs) const;
  ChannelAxis output_channels(const ChannelContext& context) const;
  void resize(const ActiveFeatures& active);

  friend bool operator==(const PadChannels&, const PadChannels&) = default;
};

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
