#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/thread_pool.h"

/// Defines name(args, pool) as that of the instruction set in use.
#define CONCERTINA_EXPORT(name, Args)             \
  HWY_EXPORT(name);                               \
  void name(const Args& args, ThreadPool& pool) { \
    HWY_DYNAMIC_DISPATCH(name)(args, pool);       \
  }

namespace concertina::kernels {

/// The i-th of `parts` nearly equal parts of `count` begins here.
inline int part_begin(int count, int parts, int i) {
  return static_cast<int>(std::int64_t{count} * i / parts);
}

/// Pixels that are worth a thread's while: about 16 KiB of floats.
inline int pixel_block(int channels) {
  return std::max(1, 4096 / std::max(1, channels));
}

/// Calls body(input, output) for every pixel of Args' maps of so many channels, in such blocks.
template <typename Args, typename Body>
void for_pixels(const Args& args, int channels, ThreadPool& pool, const Body& body) {
  const std::ptrdiff_t block = pixel_block(channels);
  const auto blocks = static_cast<int>((args.pixels + block - 1) / block);
  pool.parallel_for(blocks, [&](int i) {
    const auto end = std::min<std::ptrdiff_t>(args.pixels, (i + 1) * block);
    for (std::ptrdiff_t p = i * block; p < end; ++p) {
      body(args.input + p * args.input_stride, args.output + p * args.output_stride);
    }
  });
}

/// Calls body(image, begin, end) for blocks of `block` of the pixels of each image.
template <typename Body>
void for_image_pixels(int batch, int pixels, int block, ThreadPool& pool, const Body& body) {
  const int blocks = (pixels + block - 1) / block;
  pool.parallel_for(batch * blocks, [&](int i) {
    const int begin = i % blocks * block;
    body(std::ptrdiff_t{i / blocks}, begin, std::min(pixels, begin + block));
  });
}

}  // namespace concertina::kernels
