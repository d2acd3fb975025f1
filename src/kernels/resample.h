#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

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

/// How lines of `from` pixels become lines of `to`. Output i is the sum over k < taps of
///   weights[i * taps + k] * input[first[i] + k]
/// `taps` is a multiple of 4; the weights of pixels behind the line's end are 0.
struct ScaledLine {
  int from = 1;
  int to = 1;
  int taps = 4;
  std::vector<int> first;
  std::vector<float> weights;
};

/// By a triangle as wide as the step between output pixels (base/resampling.h).
ScaledLine scale_line(int from, int to);

/// Plain images of another size, plane by plane: [planes][rows.from][columns.from] -> [planes][rows.to]
/// [columns.to].
struct ScaleArgs {
  int planes = 1;
  const ScaledLine& rows;
  const ScaledLine& columns;
  const float* input = nullptr;
  float* output = nullptr;
};

/// Floats of scratch memory that each thread needs.
std::size_t workspace_scale(const ScaleArgs& args);

/// workspace: workspace_scale() floats for each thread of the pool. The output does not overlap the input.
void scale_planes(const ScaleArgs& args, float* workspace, ThreadPool& pool);

}  // namespace concertina::kernels
