#pragma once

#include <cstddef>
#include <functional>

#include "kernels/conv_types.h"
#include "kernels/training/batch_norm.h"
#include "kernels/training/conv_unit.h"
#include "kernels/training/workspace.h"

/// Convolution and its gradients while training, over maps as a trainer keeps them: [images][h][w][channels],
/// fp32 or bf16. Sums are fp32; with a bf16 unit, factors are bf16. Every result is the same for any number
/// of threads.
namespace concertina::kernels {

/// Grows whenever a kernel comes to take another time, so that what was measured before is measured again.
inline constexpr int kTrainingConvVersion = 1;

/// Calls body(0) .. body(count - 1), some of them at once.
using ParallelFor = std::function<void(int count, const std::function<void(int index)>& body)>;

/// What the passes have in common. In a map, a pixel has the channels of all groups.
struct TrainingConv {
  WindowArgs window;
  int images = 1;
  int groups = 1;
  int in_channels = 1;   ///< of a group, those of the sub-net
  int out_channels = 1;  ///< the same
  Element element = Element::fp32;
  const TrainingUnit* unit = nullptr;  ///< bf16 only for maps of bf16
};

/// A part of an array of weights [out][in][h][w]: its values need not lie side by side, so a sub-net's are
/// read and written where they are. Strides are in floats; those of the groups follow each other along
/// `output`.
template <typename T>
struct FilterPart {
  T* values = nullptr;
  std::ptrdiff_t output = 0, input = 0, tap = 0;
};

/// y = x * filter + bias. If `mean` is not null, the mean and the variance of each channel of y (that of the
/// population) go there.
struct ConvForwardArgs {
  TrainingConv conv;
  const void* x = nullptr;
  FilterPart<const float> filter;
  const float* bias = nullptr;  ///< [groups * out_channels], or null
  void* y = nullptr;
  float* mean = nullptr;
  float* variance = nullptr;
};
void conv_forward(const ConvForwardArgs& args, Workspace& workspace, const ParallelFor& parallel);

/// dx, all of it.
struct ConvInputGradientArgs {
  TrainingConv conv;
  const void* dy = nullptr;
  FilterPart<const float> filter;
  void* dx = nullptr;
};
void conv_input_gradient(const ConvInputGradientArgs& args, Workspace& workspace,
                         const ParallelFor& parallel);

/// Adds the filter's gradient to the part.
struct ConvFilterGradientArgs {
  TrainingConv conv;
  const void* x = nullptr;
  const void* dy = nullptr;
  FilterPart<float> gradient;
};
void conv_filter_gradient(const ConvFilterGradientArgs& args, Workspace& workspace,
                          const ParallelFor& parallel);

}  // namespace concertina::kernels
