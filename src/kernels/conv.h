#pragma once

#include <cstddef>
#include <span>

#include "base/thread_pool.h"
#include "kernels/window.h"

/// Direct convolution over packed weights, in the layout of target.h. A linear layer is a 1x1 convolution on
/// a 1x1 map.
namespace concertina::kernels {

/// A convolution's weights at full width: [groups][out_channels][in_channels][taps], which is OIHW.
struct Filter {
  int groups = 1;
  int out_channels = 1;  ///< per group
  int in_channels = 1;   ///< per group
  int taps = 1;          ///< kernel_h * kernel_w
};

/// Floats of the packed filter.
std::size_t packed_size(const Filter& filter);

/// Reorders `oihw` into panels of 2 * vector_lanes() output channels, each [taps][in_channels][2 * lanes], so
/// that every sub-net reads a prefix of the panels and of the rows in each. packed: 64-byte aligned,
/// packed_size() floats; the channels missing in the last panel become zero.
void pack_conv(const Filter& filter, const float* oihw, float* packed);

/// A run of active input channels: a prefix of one segment.
struct ChannelRange {
  int weight_begin = 0;  ///< its first channel's index in the full filter
  int input_offset = 0;  ///< its first channel's place in the pixel, in floats
  int count = 0;         ///< active channels
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
};

void conv(const ConvArgs& args, ThreadPool& pool);

/// Whether conv() takes plain inputs under such a window.
bool conv_reads_planes(const WindowArgs& window);

}  // namespace concertina::kernels
