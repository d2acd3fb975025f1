#pragma once

#include <cstddef>

/// Functions of one number, and how kernels apply them to what they have just stored.
namespace concertina::kernels {

/// A function other than those that every kernel applies on the way (FusedActivation).
struct PointwiseFunction {
  enum class Kind {
    none,          ///< x
    clip,          ///< min(max(x, a), b)
    leaky_relu,    ///< x where x >= 0, a * x elsewhere
    prelu,         ///< x where x >= 0, slope[c] * x elsewhere
    hard_sigmoid,  ///< min(max(a * x + b, 0), 1)
    hard_swish,    ///< x * min(max(x / 6 + 1/2, 0), 1)
    sigmoid,       ///< 1 / (1 + exp(-x))
    silu,          ///< x / (1 + exp(-x))
    tanh,          ///< (exp(2x) - 1) / (exp(2x) + 1)
    elu,           ///< x where x >= 0, a * (exp(x) - 1) elsewhere
    selu,          ///< b * elu(x)
    softplus,      ///< log(1 + exp(x))
    mish,          ///< x * tanh(softplus(x))
    erf,           ///< 2 / sqrt(pi) * integral of exp(-t * t) from 0 to x
    gelu,          ///< x / 2 * (1 + erf(x / sqrt(2))), to 2e-7 of max(1, |x|)
    gelu_tanh,     ///< x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))
    sqrt,          ///< no number where x < 0
    reciprocal,    ///< 1 / x
  };
  Kind kind = Kind::none;
  float a = 0;
  float b = 0;
  const float* slope = nullptr;  ///< prelu: [channels rounded up to vector_lanes()], placed as in the pixel

  explicit operator bool() const { return kind != Kind::none; }
};

/// Some channels of some pixels, for a PointwiseLoop. `channels` is rounded up to vector_lanes().
struct PointwiseRun {
  const float* input = nullptr;  ///< [pixels][input_stride]
  std::ptrdiff_t input_stride = 0;
  float* output = nullptr;  ///< [pixels][output_stride]; may be the input
  std::ptrdiff_t output_stride = 0;
  std::ptrdiff_t pixels = 1;
  int channels = 0;
  int channel = 0;  ///< of the first one's slope
};

/// out = function(input)
using PointwiseLoop = void (*)(const PointwiseFunction& function, const PointwiseRun& run);

/// A function that a kernel applies to its output in place, piece by piece while it is in the cache.
struct FusedFunction {
  PointwiseFunction function;
  PointwiseLoop loop = nullptr;  ///< null: no function

  explicit operator bool() const { return loop != nullptr; }

  /// To `pixels` pixels of `stride` floats, from output channel `channel` on, which is what `first` has.
  void apply(float* first, std::ptrdiff_t stride, int pixels, int channel, int channels) const {
    loop(function, {first, stride, first, stride, pixels, channels, channel});
  }
};

/// Of none: no function.
FusedFunction fused(const PointwiseFunction& function);

}  // namespace concertina::kernels
