#pragma once

#include "graph/ops/elementwise.h"

namespace concertina::op {

/// The network's input. Its channels are what the user gives, so they are locked.
struct Input : Elementwise {
  static constexpr std::string_view kType = "Input";
  static constexpr int kInputs = -1;  ///< none

  Shape shape;

  Result<Shape> output_shape(std::span<const Shape> inputs) const;
  ChannelAxis output_channels(const ChannelContext& context) const;

  friend bool operator==(const Input&, const Input&) = default;
};

}  // namespace concertina::op
