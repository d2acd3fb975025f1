#pragma once

#include <cstddef>

#include "base/thread_pool.h"

/// Kernels that look at the `channels` real channels of one segment of each pixel together.
namespace concertina::kernels {

enum class ChannelReduction { mean, largest, sum };

/// out[0] = the mean, the largest or the sum of input[c]
struct ReduceChannelsArgs {
  std::ptrdiff_t pixels = 0;
  int channels = 0;
  ChannelReduction reduction = ChannelReduction::mean;
  const float* input = nullptr;  ///< [pixels][input_stride]
  std::ptrdiff_t input_stride = 0;
  float* output = nullptr;  ///< [pixels][output_stride]
  std::ptrdiff_t output_stride = 0;
};

void reduce_channels(const ReduceChannelsArgs& args, ThreadPool& pool);

/// out[c] = input[c] / (bias + alpha / size * sum of input[k]^2)^beta, k from c - (size - 1) / 2 to c + size
/// / 2. The output may not be the input.
struct LocalResponseArgs {
  std::ptrdiff_t pixels = 0;
  int channels = 0;
  int size = 1;
  float alpha = 0;
  float beta = 0;
  float bias = 1;
  const float* input = nullptr;  ///< [pixels][input_stride]
  std::ptrdiff_t input_stride = 0;
  float* output = nullptr;  ///< [pixels][output_stride]
  std::ptrdiff_t output_stride = 0;
};

void local_response_norm(const LocalResponseArgs& args, ThreadPool& pool);

}  // namespace concertina::kernels
