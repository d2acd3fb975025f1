#pragma once

#include <cstddef>
#include <span>

#include "base/thread_pool.h"

/// Maps of another size (layout.h): padding and resizing. `channels` may be the whole pixel
/// with all its segments and padding: it is rounded up to vector_lanes(). The output does not overlap the
/// input.
namespace concertina::kernels {

/// Output pixel (y, x) is the input's (rows[y], columns[x]), or `value` in every channel where one of them is
/// negative.
struct PickArgs {
  int batch = 1;
  int channels = 0;
  int in_h = 1;
  int in_w = 1;
  std::span<const int> rows;     ///< one for each output row
  std::span<const int> columns;  ///< one for each output column
  float value = 0;
  const float* input = nullptr;  ///< [batch][in_h][in_w][input_stride]
  std::ptrdiff_t input_stride = 0;
  float* output = nullptr;  ///< [batch][rows][columns][output_stride]
  std::ptrdiff_t output_stride = 0;
};

void pick_pixels(const PickArgs& args, ThreadPool& pool);

/// (1 - share) * line[first] + share * line[second]
struct LinearTap {
  int first = 0;
  int second = 0;
  float share = 0;
};

/// Output pixel (y, x) is what rows[y] and columns[x] make of the input.
struct BlendArgs {
  int batch = 1;
  int channels = 0;
  int in_h = 1;
  int in_w = 1;
  std::span<const LinearTap> rows;
  std::span<const LinearTap> columns;
  const float* input = nullptr;  ///< [batch][in_h][in_w][input_stride]
  std::ptrdiff_t input_stride = 0;
  float* output = nullptr;  ///< [batch][rows][columns][output_stride]
  std::ptrdiff_t output_stride = 0;
};

void blend_pixels(const BlendArgs& args, ThreadPool& pool);

}  // namespace concertina::kernels
