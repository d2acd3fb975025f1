#pragma once

#include <cstddef>

/// The passes of batch normalisation while training (Ioffe and Szegedy 2015) over maps as a trainer keeps
/// them: [pixels][channels], fp32 or bf16, without padding, any number of channels. Each pass reads its maps
/// once. The caller gives every thread its own run of pixels, and adds up the sums.
namespace concertina::kernels {

enum class Element { fp32, bf16 };

/// A run of pixels and how they are kept.
struct TrainingMap {
  std::ptrdiff_t pixels = 0;
  int channels = 0;
  Element element = Element::fp32;
};

/// sums[c] = sum of x - origin[c], squares[c] = sum of (x - origin[c])^2. With an origin near the mean, the
/// variance that follows from them is not lost to cancellation.
struct MomentsArgs {
  TrainingMap map;
  const void* x = nullptr;
  const float* origin = nullptr;
  float* sums = nullptr;
  float* squares = nullptr;
};
void moments(const MomentsArgs& args);

/// y = x * scale[c] + shift[c] + residual, then ReLU if asked for.
struct ApplyNormArgs {
  TrainingMap map;
  const void* x = nullptr;
  const void* residual = nullptr;  ///< or null
  const float* scale = nullptr;
  const float* shift = nullptr;
  bool relu = false;
  void* y = nullptr;
};
void apply_norm(const ApplyNormArgs& args);

/// With g = dy, or 0 where y is given and not positive: sums[c] = sum of g, products[c] = sum of g * (x -
/// mean[c]). g is stored if asked for.
struct GradientMomentsArgs {
  TrainingMap map;
  const void* x = nullptr;
  const void* y = nullptr;  ///< what apply_norm() with ReLU gave; or null
  const void* dy = nullptr;
  const float* mean = nullptr;
  float* sums = nullptr;
  float* products = nullptr;
  void* g = nullptr;  ///< or null
};
void gradient_moments(const GradientMomentsArgs& args);

/// dx = g * of_gradient[c] + x * of_input[c] + constant[c], with g as above.
struct InputGradientArgs {
  TrainingMap map;
  const void* x = nullptr;
  const void* y = nullptr;  ///< what apply_norm() with ReLU gave; or null
  const void* dy = nullptr;
  const float* of_gradient = nullptr;
  const float* of_input = nullptr;
  const float* constant = nullptr;
  void* dx = nullptr;
};
void input_gradient(const InputGradientArgs& args);

}  // namespace concertina::kernels
