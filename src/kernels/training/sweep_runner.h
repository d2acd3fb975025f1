#pragma once

#include <vector>

#include "kernels/training/conv_pack.h"
#include "kernels/training/conv_sweep.h"

/// Forward passes and gradients of inputs, both of which are sweeps.
namespace concertina::kernels {

/// Where a sweep's outputs go: the channels of one group.
struct SweepTarget {
  void* values = nullptr;
  Element element = Element::fp32;
  int height = 0, width = 0;
  std::ptrdiff_t pixel = 0;
  std::ptrdiff_t first = 0;
  const float* bias = nullptr;  ///< of the group, or null
};

/// All that a sweep multiplies for one group.
struct SweepPass {
  const Sweep& sweep;
  SweepSource source;
  SweepFilter filter;
  SweepTarget target;
  const TrainingUnit& unit;
};

/// Computes the outputs of the chunks. moments: if not null, [chunks][pairs of panels][3][kPanelPair], see
/// StoreArgs.
void run_sweep(const SweepPass& pass, const std::vector<SweepChunk>& chunks, float* moments,
               Workspace& workspace, const ParallelFor& parallel);

}  // namespace concertina::kernels
