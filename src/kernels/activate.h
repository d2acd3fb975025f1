#pragma once

#include <cstddef>

#include "base/thread_pool.h"

/// Functions of each value by itself, other than those that every kernel applies on the way
/// (FusedActivation).
namespace concertina::kernels {

struct PointwiseFunction {
  enum class Kind {
    clip,          ///< min(max(x, a), b)
    leaky_relu,    ///< x where x >= 0, a * x elsewhere
    hard_sigmoid,  ///< min(max(a * x + b, 0), 1)
    hard_swish,    ///< x * min(max(x / 6 + 1/2, 0), 1)
    sigmoid,       ///< 1 / (1 + exp(-x))
  };
  Kind kind = Kind::clip;
  float a = 0;
  float b = 0;
};

/// out = function(input), in the layout of target.h. `channels` may be the whole pixel with all its segments
/// and padding: it is rounded up to vector_lanes(). The output may be the input.
struct ActivateArgs {
  std::ptrdiff_t pixels = 0;
  int channels = 0;
  const float* input = nullptr;  ///< [pixels][input_stride]
  std::ptrdiff_t input_stride = 0;
  float* output = nullptr;  ///< [pixels][output_stride]
  std::ptrdiff_t output_stride = 0;
  PointwiseFunction function;
};

void activate(const ActivateArgs& args, ThreadPool& pool);

}  // namespace concertina::kernels
