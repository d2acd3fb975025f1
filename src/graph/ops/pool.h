#pragma once

#include "graph/ops/elementwise.h"
#include "graph/ops/window.h"

namespace concertina::op {

/// Maximum over a window; padding never wins.
struct MaxPool : Elementwise {
  static constexpr std::string_view kType = "MaxPool";

  Window window;

  Result<Shape> output_shape(std::span<const Shape> inputs) const;

  friend bool operator==(const MaxPool&, const MaxPool&) = default;
};

/// Mean over a window; whether padding counts as zeros or not at all is `count_padding`.
struct AveragePool : Elementwise {
  static constexpr std::string_view kType = "AveragePool";

  Window window;
  bool count_padding = false;

  Result<Shape> output_shape(std::span<const Shape> inputs) const;

  friend bool operator==(const AveragePool&, const AveragePool&) = default;
};

/// Mean over the whole map: C x H x W -> C x 1 x 1.
struct GlobalAveragePool : Elementwise {
  static constexpr std::string_view kType = "GlobalAveragePool";

  Result<Shape> output_shape(std::span<const Shape> inputs) const;

  friend bool operator==(const GlobalAveragePool&, const GlobalAveragePool&) = default;
};

}  // namespace concertina::op
