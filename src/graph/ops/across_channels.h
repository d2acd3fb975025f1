#pragma once

#include "graph/ops/elementwise.h"

namespace concertina::op {

/// The mean, the largest or the sum of all channels, for each pixel: of those that a sub-net has.
struct ChannelReduce : Elementwise {
  static constexpr std::string_view kType = "ChannelReduce";

  enum class Kind { mean, max, sum };
  Kind kind = Kind::mean;

  Result<Shape> output_shape(std::span<const Shape> inputs) const;
  ChannelAxis output_channels(const ChannelContext& context) const;

  friend bool operator==(const ChannelReduce&, const ChannelReduce&) = default;
};

/// Local response normalisation (Krizhevsky 2012): x[c] / (bias + alpha / size * sum of x^2 over `size`
/// channels around c)^beta. Which channels are neighbours depends on their order, so they are locked.
struct LocalResponseNorm : Elementwise {
  static constexpr std::string_view kType = "LocalResponseNorm";

  int size = 1;
  float alpha = 1e-4F;
  float beta = 0.75F;
  float bias = 1;

  Result<Shape> output_shape(std::span<const Shape> inputs) const;
  ChannelAxis output_channels(const ChannelContext& context) const;

  friend bool operator==(const LocalResponseNorm&, const LocalResponseNorm&) = default;
};

}  // namespace concertina::op
