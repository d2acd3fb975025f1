#pragma once

#include "graph/ops/elementwise.h"

namespace concertina::op {

/// Normalises each image by its own values: y = (x - mean) / sqrt(variance + epsilon) * weight[c] + bias[c].
/// Mean and variance are those of a group of channels, over all pixels or in each pixel by itself.
struct GroupNorm : Elementwise {
  static constexpr std::string_view kType = "GroupNorm";

  int channels = 0;
  int group = 1;  ///< channels of a group, 1 as in instance norm; 0: all that there are, as in layer norm
  bool by_pixel = false;  ///< layer norm over the channels of a pixel; then group is 0
  float epsilon = 1e-5F;

  Result<Shape> output_shape(std::span<const Shape> inputs) const;
  ChannelAxis output_channels(const ChannelContext& context) const;
  std::vector<Parameter> parameters() const;
  void resize(const ActiveFeatures& active) { channels = active.out; }

  friend bool operator==(const GroupNorm&, const GroupNorm&) = default;
};

}  // namespace concertina::op
