#pragma once

#include "graph/ops/elementwise.h"

namespace concertina::op {

/// Fully connected layer on a feature vector. weight [out_features][in_features], bias [out_features].
struct Linear : Elementwise {
  static constexpr std::string_view kType = "Linear";

  int in_features = 0;
  int out_features = 0;
  bool bias = true;

  Result<Shape> output_shape(std::span<const Shape> inputs) const;
  ChannelAxis output_channels(const ChannelContext& context) const;
  std::vector<Parameter> parameters() const;
  std::int64_t macs(const Shape& input, const Shape& output) const;
  void resize(const ActiveFeatures& active) {
    in_features = active.in;
    out_features = active.out;
  }

  friend bool operator==(const Linear&, const Linear&) = default;
};

}  // namespace concertina::op
