#pragma once

#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "runtime/plan_source.h"
#include "runtime/step.h"

namespace concertina::runtime {

/// A step for people; a banded one has a label for each of its steps.
struct StepLabel {
  std::string name;
  std::string kind;
  std::int64_t macs = 0;  ///< for one image
  std::size_t step = 0;   ///< its index in the plan
};

/// A map that steps of single images leave to steps of the whole batch.
struct Carried {
  std::ptrdiff_t buffer = 0;  ///< floats before it in the arena, for each image of the batch
  std::ptrdiff_t floats = 0;  ///< of one image
};

/// How one sub-net runs. It points into the model's packed weights and its own.
struct Plan {
  std::vector<Step> steps;
  std::vector<StepLabel> labels;       ///< in the order of the steps
  std::vector<std::size_t> pass_ends;  ///< by pass: the index of the step after its last one
  std::size_t image_floats = 0;        ///< of an image at the sub-net's resolution
  int per_image_steps = 0;  ///< the first ones, done for single images of a batch: see per_image_passes()
  std::vector<Carried> carried;            ///< from them to the others
  std::int64_t layer_macs = 0;             ///< for one image, mean over the convolutions and linear layers
  AlignedBuffer epilogues;                 ///< scales and shifts
  std::vector<AlignedBuffer> own_weights;  ///< packed filters of linear layers that are not shared, and what
                                           ///< the sums of int8 begin with
  std::ptrdiff_t arena_floats = 0;         ///< scratch memory, for each image of a batch
  std::size_t workspace_floats = 0;        ///< scratch memory besides, for each thread

  /// Of an image that the plan scales down, which lies behind the arena; 0 if it does not.
  std::size_t scaled_floats() const;

  /// Makes sure that each thread has so many floats of workspace, in whole cache lines.
  void need_workspace(std::size_t floats);
};

/// `own` are the sub-net's own arrays, at its widths. `image`: what the model takes; it is scaled down if the
/// source is at a lower resolution.
Plan make_plan(const PlanSource& source, const Shape& image, const Subnet& subnet, const Weights& own);

}  // namespace concertina::runtime
