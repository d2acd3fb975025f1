#pragma once

#include <cstddef>

#include "base/thread_pool.h"
#include "kernels/conv_types.h"
#include "kernels/pointwise.h"

/// Kernels that treat every pixel (layout.h) alone. `channels` may be the whole pixel with
/// all its segments and padding: it is rounded up to vector_lanes(). The output may be an input.
namespace concertina::kernels {

enum class Arithmetic { add, multiply };

/// out = act(a + b), or act(a * b)
struct CombineArgs {
  Arithmetic arithmetic = Arithmetic::add;
  int batch = 1;
  int pixels = 1;  ///< of one image
  int channels = 0;
  const float* a = nullptr;  ///< [batch][pixels][a_stride]
  std::ptrdiff_t a_stride = 0;
  const float* b = nullptr;
  std::ptrdiff_t b_image_stride = 0;  ///< from image to image
  std::ptrdiff_t b_stride = 0;        ///< from pixel to pixel; 0: one pixel is for all of the image
  bool b_is_spread = false;           ///< the first channel of b is for all channels
  float* output = nullptr;            ///< [batch][pixels][output_stride]; may be b if b has all that a has
  std::ptrdiff_t output_stride = 0;
  FusedActivation act = FusedActivation::none;
};

void combine(const CombineArgs& args, ThreadPool& pool);

/// out = act(input * scale[c] + shift[c]); with scale and shift null it is the activation alone.
struct AffineArgs {
  std::ptrdiff_t pixels = 0;
  int channels = 0;
  const float* input = nullptr;  ///< [pixels][input_stride]
  std::ptrdiff_t input_stride = 0;
  const float* scale = nullptr;  ///< [channels rounded up to vector_lanes()], placed as in the pixel; or null
  const float* shift = nullptr;  ///< the same; null exactly if scale is
  float* output = nullptr;       ///< [pixels][output_stride]
  std::ptrdiff_t output_stride = 0;
  FusedActivation act = FusedActivation::none;
};

void affine(const AffineArgs& args, ThreadPool& pool);

/// out = function(input)
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

/// out[c] = exp(input[c] - m) / sum over c' of exp(input[c'] - m), m the largest input, or the logarithm of
/// that: over the `channels` real channels of one segment of each pixel.
struct SoftmaxArgs {
  std::ptrdiff_t pixels = 0;
  int channels = 0;
  bool logarithm = false;
  const float* input = nullptr;  ///< [pixels][input_stride]
  std::ptrdiff_t input_stride = 0;
  float* output = nullptr;  ///< [pixels][output_stride]
  std::ptrdiff_t output_stride = 0;
};

void softmax(const SoftmaxArgs& args, ThreadPool& pool);

}  // namespace concertina::kernels
