#pragma once

#include <cstddef>

#include "base/thread_pool.h"
#include "kernels/conv_types.h"

/// Depthwise convolution: output channel c is input channel c under its own filter. A sub-net uses a prefix
/// of the channels. (With a channel multiplier, use conv() with as many groups as input channels.)
namespace concertina::kernels {

/// Windows of more taps than this are refused by nobody but not supported; 16 x 16 is the largest square.
inline constexpr int kMaxDepthwiseTaps = 256;

/// Floats of the packed weights.
std::size_t packed_size_depthwise(int channels, int taps);

/// weights [channels][taps] -> packed [taps][channels rounded up to vector_lanes()], 64-byte aligned.
void pack_depthwise(int channels, int taps, const float* weights, float* packed);

/// Preconditions: 1 <= channels <= full_channels; window.taps() <= kMaxDepthwiseTaps; output does not overlap
/// the input; fewer than 2^31 output pixels. Channels are computed up to the next multiple of vector_lanes().
struct DepthwiseArgs {
  const float* packed = nullptr;
  int full_channels = 0;  ///< channels that were packed
  int channels = 0;       ///< active channels
  int batch = 1;
  WindowArgs window;
  const float* input = nullptr;  ///< [batch][in_h][in_w][input_stride]
  std::ptrdiff_t input_stride = 0;
  float* output = nullptr;  ///< [batch][out_h][out_w][output_stride]
  std::ptrdiff_t output_stride = 0;
  Epilogue epilogue;
};

void depthwise(const DepthwiseArgs& args, ThreadPool& pool);

}  // namespace concertina::kernels
