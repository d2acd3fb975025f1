#pragma once

#include <cstdint>

#include "concertina/result.h"
#include "graph/shape.h"

namespace concertina {

/// The sliding window of a convolution or pooling, in pixels.
struct Window {
  int kernel_h = 1, kernel_w = 1;
  int stride_h = 1, stride_w = 1;
  int pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  int dilation_h = 1, dilation_w = 1;

  static Window square(int kernel, int stride = 1, int pad = 0) {
    return {kernel, kernel, stride, stride, pad, pad, pad, pad, 1, 1};
  }
  int taps() const { return kernel_h * kernel_w; }
  /// Pixels from the first to the last tap, both included.
  std::int64_t extent_h() const { return std::int64_t{kernel_h - 1} * dilation_h + 1; }
  std::int64_t extent_w() const { return std::int64_t{kernel_w - 1} * dilation_w + 1; }

  /// The output for an input of `shape`, channels unchanged. Fails if the window does not fit.
  Result<Shape> slide_over(const Shape& shape) const;

  friend bool operator==(const Window&, const Window&) = default;
};

}  // namespace concertina
