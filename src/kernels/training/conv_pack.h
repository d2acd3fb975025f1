#pragma once

#include <cstdint>

#include "kernels/training/conv_sweep.h"

/// Weights as a trainer's units read them.
namespace concertina::kernels {

/// The filter as a sweep multiplies it: which of its channels are outputs.
struct SweepFilter {
  const float* values = nullptr;
  std::ptrdiff_t output = 0, input = 0, tap = 0;
  int outputs = 0, inputs = 0;
  bool depthwise = false;  ///< each output sees the input of its own place; inputs is 1
};

/// How a sweep's runs meet their weights; see PanelProducts.
struct RunShape {
  int taps = 1;              ///< that slide
  int depth = 0;             ///< elements
  std::ptrdiff_t panel = 0;  ///< elements of one panel's weights

  RunShape(const Sweep& sweep, int inputs, const TrainingUnit& unit) {
    constexpr int kSliding = 3;
    const int in_run = sweep.taps_in_run();
    if (unit.slides && in_run == kSliding && sweep.stride_w == 1 && inputs % unit.depth == 0) taps = in_run;
    const int padded = round_up(in_run / taps * inputs, unit.depth);
    depth = unit.bf16 ? padded / 2 : padded;
    panel = std::ptrdiff_t{kTrainingPanel} * depth * taps * static_cast<std::ptrdiff_t>(sweep.runs.size());
  }
};

/// One panel of weights: shape.panel elements, zeros where there is no weight.
void pack_panel(const Sweep& sweep, const RunShape& shape, const SweepFilter& filter,
                const TrainingUnit& unit, int panel, std::uint32_t* to);

}  // namespace concertina::kernels
