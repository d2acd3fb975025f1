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

}  // namespace concertina::op
