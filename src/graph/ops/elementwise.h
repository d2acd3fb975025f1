#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "concertina/result.h"
#include "graph/channel_analysis.h"
#include "graph/shape.h"

namespace concertina {

/// What a sub-net keeps around a node.
struct ActiveFeatures {
  int in = 0;                                   ///< features of its first input
  int out = 0;                                  ///< features of its output
  std::span<const FeatureRange> input_ranges;   ///< the kept ones as positions in the full first input
  std::span<const FeatureRange> output_ranges;  ///< and in the full output
};

/// What most ops with one input share: same shape, same channels, no parameters, no multiplications.
///
/// Every op offers these members: kType, its name for people; kInputs, how many inputs it takes (0 = any
/// number, at least one); and the rules below.
struct Elementwise {
  static constexpr int kInputs = 1;

  /// The output's shape, or why these inputs do not fit.
  Result<Shape> output_shape(std::span<const Shape> inputs) const { return inputs[0]; }

  /// The output's channel axis; states couplings and locks on the way.
  ChannelAxis output_channels(const ChannelContext& context) const { return context.inputs[0]; }

  std::vector<Parameter> parameters() const { return {}; }

  /// Multiply-accumulates for active shapes.
  std::int64_t macs(const Shape&, const Shape&) const { return 0; }

  /// Becomes the op of a sub-net.
  void resize(const ActiveFeatures&) {}

  friend bool operator==(const Elementwise&, const Elementwise&) = default;
};

}  // namespace concertina
