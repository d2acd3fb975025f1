#pragma once

#include <cstddef>

#include "base/thread_pool.h"
#include "kernels/conv_types.h"

/// Pooling. `channels` may be the whole pixel with all its segments and padding: it is rounded up to
/// vector_lanes().
namespace concertina::kernels {

/// Preconditions: output does not overlap the input; fewer than 2^31 output pixels.
struct PoolArgs {
  int batch = 1;
  int channels = 0;
  WindowArgs window;
  const float* input = nullptr;  ///< [batch][in_h][in_w][input_stride]
  std::ptrdiff_t input_stride = 0;
  float* output = nullptr;  ///< [batch][out_h][out_w][output_stride]
  std::ptrdiff_t output_stride = 0;
};

/// The largest value in each window; padding does not count. Minus infinity where a window sees nothing else.
void max_pool(const PoolArgs& args, ThreadPool& pool);

/// Whether zeros in the padding count in a mean. Windows that reach beyond pad_bottom or pad_right (a
/// rounded-up output size) do not count what lies there.
struct AveragePadding {
  bool counts = false;
  int pad_bottom = 0;
  int pad_right = 0;
};

/// The mean of each window. Not a number where there is nothing to count.
void average_pool(const PoolArgs& args, const AveragePadding& padding, ThreadPool& pool);

/// The mean of each map: input [batch][pixels][input_stride] -> output [batch][output_stride].
struct GlobalPoolArgs {
  int batch = 1;
  int pixels = 1;  ///< of one map
  int channels = 0;
  const float* input = nullptr;
  std::ptrdiff_t input_stride = 0;
  float* output = nullptr;
  std::ptrdiff_t output_stride = 0;
};

void global_average_pool(const GlobalPoolArgs& args, ThreadPool& pool);

}  // namespace concertina::kernels
