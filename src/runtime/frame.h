#pragma once

#include <cstddef>
#include <cstdint>

#include "base/thread_pool.h"
#include "kernels/conv_types.h"

/// What a run brings to the steps of a plan, and where maps lie in its memory.
namespace concertina::runtime {

/// What a run brings.
struct Frame {
  int batch = 1;
  const float* images = nullptr;
  float* scaled = nullptr;  ///< for images of a lower resolution; null if `images` are
  float* logits = nullptr;
  float* arena = nullptr;
  float* workspace = nullptr;
  ThreadPool& pool;
  ThreadPool& caller;                  ///< a pool of one thread, the caller's
  std::int64_t* lap_times = nullptr;   ///< if not null, a banded step adds the nanoseconds of each step in it
  std::ptrdiff_t lap_time_stride = 0;  ///< from a thread's lap times to the next one's
};

/// What a run of some rows of one image brings.
struct RowsFrame {
  kernels::WindowArgs window;    ///< over the rows that are seen, making those that are made
  const float* input = nullptr;  ///< the first pixel seen; of planes, the first one's
  float* output = nullptr;       ///< the first pixel made
  float* workspace = nullptr;
  ThreadPool& pool;
};

/// Where a map, or a segment of it, lies.
struct Location {
  std::ptrdiff_t buffer = 0;   ///< floats before it in the arena, for each image of the batch
  std::ptrdiff_t channel = 0;  ///< floats before it in the pixel
  std::ptrdiff_t stride = 0;   ///< floats from pixel to pixel

  float* in(const Frame& frame) const { return pixels(frame) + channel; }
  /// Of the whole map.
  float* pixels(const Frame& frame) const { return frame.arena + buffer * frame.batch; }
};

/// An input of the network as it comes, in planes.
struct PlainInput {
  std::ptrdiff_t begin = 0;  ///< floats before it among the images, for each image of the batch
  int channels = 0;

  const float* in(const Frame& frame) const {
    return (frame.scaled == nullptr ? frame.images : frame.scaled) + begin * frame.batch;
  }
};

}  // namespace concertina::runtime
