#pragma once

#include "graph/ops/elementwise.h"

namespace concertina::op {

/// Element-wise sum of two values of one shape; their channels are coupled.
struct Add : Elementwise {
  static constexpr std::string_view kType = "Add";
  static constexpr int kInputs = 2;

  Result<Shape> output_shape(std::span<const Shape> inputs) const;
  ChannelAxis output_channels(const ChannelContext& context) const;

  friend bool operator==(const Add&, const Add&) = default;
};

}  // namespace concertina::op
