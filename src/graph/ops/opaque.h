#pragma once

#include <string>

#include "graph/ops/elementwise.h"

namespace concertina::op {

/// An op that is known by name only. Nothing can be said of its channels, so those around it are locked; the
/// rest of the network can still shrink. Neither the trainer nor the runtime can execute it.
struct Opaque : Elementwise {
  static constexpr std::string_view kType = "Opaque";
  static constexpr int kInputs = 0;

  std::string type;  ///< its name in the file it came from
  Shape shape;       ///< of its output, as declared there

  Result<Shape> output_shape(std::span<const Shape>) const { return shape; }
  ChannelAxis output_channels(const ChannelContext& context) const;

  friend bool operator==(const Opaque&, const Opaque&) = default;
};

}  // namespace concertina::op
