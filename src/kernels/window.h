#pragma once

#include <cstddef>

namespace concertina::kernels {

/// How a filter or pooling window slides over a map. Output pixel (y, x) sees the input pixels
/// (y * stride_h - pad_top + i * dilation_h, x * stride_w - pad_left + j * dilation_w); those outside the map
/// are padding. The right and bottom padding follow from the output size.
struct WindowArgs {
  int in_h = 1;
  int in_w = 1;
  int out_h = 1;
  int out_w = 1;
  int kernel_h = 1;
  int kernel_w = 1;
  int stride_h = 1;
  int stride_w = 1;
  int pad_top = 0;
  int pad_left = 0;
  int dilation_h = 1;
  int dilation_w = 1;

  int taps() const { return kernel_h * kernel_w; }
};

enum class FusedActivation { none, relu, relu6 };

/// What every convolution does with its sums: y = act(sum * scale[k] + shift[k] + residual).
struct Epilogue {
  const float* scale = nullptr;     ///< [epilogue_size(channels)]; what lies past the channels is never used
  const float* shift = nullptr;     ///< [epilogue_size(channels)]
  const float* residual = nullptr;  ///< [pixels][residual_stride], or null; may be the output itself
  std::ptrdiff_t residual_stride = 0;
  FusedActivation act = FusedActivation::none;
};

constexpr int round_up(int value, int multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

}  // namespace concertina::kernels
