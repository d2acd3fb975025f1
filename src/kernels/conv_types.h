#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/pointwise.h"

/// What all convolutions take. A linear layer is a 1x1 convolution on a 1x1 map.
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

/// What every convolution does with its sums: y = function(act(sum * scale[k] + shift[k] + residual)).
struct Epilogue {
  const float* scale = nullptr;     ///< [epilogue_size(channels)]; what lies past the channels is never used
  const float* shift = nullptr;     ///< [epilogue_size(channels)]
  const float* residual = nullptr;  ///< [pixels][residual_stride], or null; may be the output itself
  std::ptrdiff_t residual_stride = 0;
  FusedActivation act = FusedActivation::none;
  FusedFunction function = {};  ///< if there is one, act is none
};

/// A convolution's weights at full width: [groups][out_channels][in_channels][taps], which is OIHW.
struct Filter {
  int groups = 1;
  int out_channels = 1;  ///< per group
  int in_channels = 1;   ///< per group
  int taps = 1;          ///< kernel_h * kernel_w

  /// Of all its weights.
  std::size_t floats() const {
    return static_cast<std::size_t>(groups) * static_cast<std::size_t>(out_channels) *
           static_cast<std::size_t>(in_channels) * static_cast<std::size_t>(taps);
  }
};

/// A run of active input channels: a prefix of one segment.
struct ChannelRange {
  int weight_begin = 0;  ///< its first channel's index in the full filter
  int input_offset = 0;  ///< its first channel's place in the pixel, in floats
  int count = 0;         ///< active channels
};

struct Bf16Unit;
struct Int8Unit;

/// How int8_conv() holds its inputs: x as round(x * (1 / scale)) + zero_point, limited to 0 .. most.
struct Int8Input {
  const Int8Unit* unit = nullptr;
  int most = 255;
  float scale = 1;
  int zero_point = 0;
  /// [int8_starts_size()]: what the sums begin with, from int8_starts(); null if zero_point is 0.
  const std::int32_t* starts = nullptr;
};

/// Preconditions: window.taps() == filter.taps; the ranges lie in the filter and the pixel; the output has
/// room for out_channels rounded up to vector_lanes() (all groups together) and does not overlap the input;
/// fewer than 2^31 output pixels. With filter.groups > 1 the group width is the full one, the group g reads
/// filter.in_channels channels from g * in_channels on, and `inputs` is not looked at. Output lanes between
/// the active channels and the next multiple of vector_lanes() are overwritten.
struct ConvArgs {
  Filter filter;
  const float* packed = nullptr;
  int batch = 1;
  WindowArgs window;
  const float* input = nullptr;  ///< [batch][in_h][in_w][input_stride]
  std::ptrdiff_t input_stride = 0;
  /// Not 0: the input is plain, [batch][channels][plane], and a range's input_offset counts channels; see
  /// conv_reads_planes(). input_stride is 1 then.
  std::ptrdiff_t plane = 0;         ///< floats from channel to channel
  std::ptrdiff_t image_stride = 0;  ///< floats from image to image
  std::span<const ChannelRange> inputs;
  int groups = 1;           ///< active groups: a prefix of the filter's
  int out_channels = 0;     ///< active output channels of each group
  float* output = nullptr;  ///< [batch][out_h][out_w][output_stride]
  std::ptrdiff_t output_stride = 0;
  Epilogue epilogue;
  const Bf16Unit* bf16_unit = nullptr;  ///< of bf16_conv() only
  Int8Input int8 = {};                  ///< of int8_conv() only
};

constexpr int round_up(int value, int multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

}  // namespace concertina::kernels
