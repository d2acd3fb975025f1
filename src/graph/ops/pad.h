#pragma once

#include "graph/ops/elementwise.h"

namespace concertina::op {

/// Rows and columns around a map.
struct Pad : Elementwise {
  static constexpr std::string_view kType = "Pad";

  enum class Mode {
    constant,  ///< of one value
    edge,      ///< the nearest pixel's
    reflect,   ///< mirrored at the outermost pixel, which is not repeated
  };

  int top = 0, left = 0, bottom = 0, right = 0;
  Mode mode = Mode::constant;
  float value = 0;

  Result<Shape> output_shape(std::span<const Shape> inputs) const;

  /// The pixel of a line of `size` that position `i` of the padded line shows (`before`: top or left); -1:
  /// the constant.
  int source(int i, int before, int size) const;

  friend bool operator==(const Pad&, const Pad&) = default;
};

}  // namespace concertina::op
