#pragma once

#include <cstddef>

#include "base/thread_pool.h"

/// Functions of each value by itself, other than those that every kernel applies on the way (Activation).
namespace concertina::kernels {

struct Function {
  enum class Kind {
    kClip,         ///< min(max(x, a), b)
    kLeakyRelu,    ///< x where x >= 0, a * x elsewhere
    kHardSigmoid,  ///< min(max(a * x + b, 0), 1)
    kHardSwish,    ///< x * min(max(x / 6 + 1/2, 0), 1)
    kSigmoid,      ///< 1 / (1 + exp(-x))
  };
  Kind kind = Kind::kClip;
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
  Function function;
};

void activate(const ActivateArgs& args, ThreadPool& pool);

}  // namespace concertina::kernels
