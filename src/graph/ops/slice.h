#pragma once

#include "graph/ops/elementwise.h"

namespace concertina::op {

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

}  // namespace concertina::op
