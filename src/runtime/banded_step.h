#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/bands.h"
#include "runtime/row_step.h"

namespace concertina::runtime {

/// Layers that run in bands: each image, or a part of its rows, by one thread. The outputs of all but the
/// last layer lie in that thread's workspace, a few rows at a time.
struct BandedStep {
  struct Layer {
    std::vector<RowStep> steps;     ///< one for each segment of its output
    std::ptrdiff_t row_floats = 0;  ///< of its output
    std::ptrdiff_t buffer = 0;      ///< floats before its output in the workspace; not of the last layer
  };

  std::vector<Layer> layers;
  std::vector<BandLayer> geometry;   ///< of the layers
  int rows = 1;                      ///< see BandWalk
  std::ptrdiff_t kernel_memory = 0;  ///< floats in the workspace before that of the kernels
  std::ptrdiff_t memory = 0;         ///< floats of a thread's workspace

  void run(const Frame& frame) const;

 private:
  struct Part;
  void run_part(const Frame& frame, const Part& part) const;
};

/// steps: of each layer, which reads the one before it only. windows: over whole maps. bytes: see
/// BandPolicy::memory.
BandedStep make_banded(std::vector<std::vector<RowStep>> steps,
                       const std::vector<kernels::WindowArgs>& windows, std::int64_t bytes);

}  // namespace concertina::runtime
