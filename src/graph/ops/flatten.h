#pragma once

#include "graph/ops/elementwise.h"

namespace concertina::op {

/// C x H x W -> a vector of C*H*W features in that order, so each channel becomes H*W consecutive features.
struct Flatten : Elementwise {
  static constexpr std::string_view kType = "Flatten";

  int pixels = 1;  ///< H * W of the input

  Result<Shape> output_shape(std::span<const Shape> inputs) const;
  ChannelAxis output_channels(const ChannelContext& context) const;

  friend bool operator==(const Flatten&, const Flatten&) = default;
};

/// A vector of C features becomes a map of C x 1 x 1: the way back from Flatten. Only ONNX sees a difference.
struct AsMap : Elementwise {
  static constexpr std::string_view kType = "AsMap";

  Result<Shape> output_shape(std::span<const Shape> inputs) const;

  friend bool operator==(const AsMap&, const AsMap&) = default;
};

}  // namespace concertina::op
