#pragma once

#include <algorithm>
#include <cstddef>

#include "base/thread_pool.h"

namespace concertina::kernels {

/// Calls body(pixel) for every pixel, in blocks that are worth a thread's while. A block holds about 16 KiB
/// of floats.
template <typename Body>
void for_pixels(std::ptrdiff_t pixels, int channels, ThreadPool& pool, const Body& body) {
  const std::ptrdiff_t block = std::max(1, 4096 / std::max(1, channels));
  const auto blocks = static_cast<int>((pixels + block - 1) / block);
  pool.parallel_for(blocks, [&](int i) {
    const std::ptrdiff_t end = std::min(pixels, (i + 1) * block);
    for (std::ptrdiff_t p = i * block; p < end; ++p) body(p);
  });
}

/// The same for runs of pixels of one image: body(image, begin, end).
template <typename Body>
void for_image_pixels(int batch, int pixels, int channels, ThreadPool& pool, const Body& body) {
  const int block = std::max(1, 4096 / std::max(1, channels));
  const int blocks = (pixels + block - 1) / block;
  pool.parallel_for(batch * blocks, [&](int i) {
    const std::ptrdiff_t begin = std::ptrdiff_t{i % blocks} * block;
    body(std::ptrdiff_t{i / blocks}, begin, std::min<std::ptrdiff_t>(pixels, begin + block));
  });
}

}  // namespace concertina::kernels
