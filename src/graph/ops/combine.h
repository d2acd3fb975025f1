#pragma once

#include "graph/ops/elementwise.h"

namespace concertina::op {

/// What Add and Mul share. The first value has the output's shape C x H x W. The second has it too, or is one
/// number for each channel (C x 1 x 1), for each pixel (1 x H x W) or for all (1 x 1 x 1). Channels that meet
/// are coupled.
struct Combine : Elementwise {
  static constexpr int kInputs = 2;

  Result<Shape> output_shape(std::span<const Shape> inputs) const;
  ChannelAxis output_channels(const ChannelContext& context) const;

  friend bool operator==(const Combine&, const Combine&) = default;
};

/// The sum of two values.
struct Add : Combine {
  static constexpr std::string_view kType = "Add";
  friend bool operator==(const Add&, const Add&) = default;
};

/// The product of two values.
struct Mul : Combine {
  static constexpr std::string_view kType = "Mul";
  friend bool operator==(const Mul&, const Mul&) = default;
};

}  // namespace concertina::op
