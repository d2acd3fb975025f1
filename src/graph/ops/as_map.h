#pragma once

#include "graph/ops/elementwise.h"

namespace concertina::op {

/// A vector of C features becomes a map of C x 1 x 1: the way back from Flatten. Only ONNX sees a difference.
struct AsMap : Elementwise {
  static constexpr std::string_view kType = "AsMap";

  Result<Shape> output_shape(std::span<const Shape> inputs) const;

  friend bool operator==(const AsMap&, const AsMap&) = default;
};

}  // namespace concertina::op
