#pragma once

#include "graph/ops/elementwise.h"

namespace concertina::op {

/// exp(x) normalised to sum 1 over the channels of each pixel; so a channel less would change all others.
struct Softmax : Elementwise {
  static constexpr std::string_view kType = "Softmax";

  ChannelAxis output_channels(const ChannelContext& context) const;

  friend bool operator==(const Softmax&, const Softmax&) = default;
};

}  // namespace concertina::op
