#pragma once

#include <cstddef>

#include "base/thread_pool.h"

namespace concertina::kernels {

/// out = (input - mean) / sqrt(variance + epsilon) * scale[c] + shift[c], over the `channels` real channels
/// of one segment of each pixel. Mean and variance are those of each run of `group` channels, over all pixels
/// of an image or, by pixel, in each pixel alone. The output may be the input; by pixel,
/// its padding is overwritten. Precondition: `group` divides
/// `channels`; by pixel it is `channels`.
struct NormalizeArgs {
  int batch = 1;
  int pixels = 1;  ///< of one image
  int channels = 0;
  int group = 1;
  bool by_pixel = false;
  float epsilon = 0;
  const float* input = nullptr;  ///< [batch][pixels][input_stride]
  std::ptrdiff_t input_stride = 0;
  const float* scale = nullptr;  ///< [epilogue_size(channels)]
  const float* shift = nullptr;  ///< the same
  float* output = nullptr;       ///< [batch][pixels][output_stride]
  std::ptrdiff_t output_stride = 0;
};

void normalize(const NormalizeArgs& args, ThreadPool& pool);

}  // namespace concertina::kernels
