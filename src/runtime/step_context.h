#pragma once

#include <vector>

#include "base/aligned_buffer.h"
#include "runtime/epilogues.h"
#include "runtime/memory_map.h"
#include "runtime/plan_source.h"
#include "runtime/step.h"

namespace concertina::runtime {

/// What the steps of one operation in a sub-net are made of. Operations come in the program's order, each
/// once: those that have an epilogue take the next one.
struct StepContext {
  const Operation& operation;
  const PlanSource& source;
  const MemoryMap& map;
  const Weights& own;  ///< the sub-net's own arrays, at its widths
  Epilogues& epilogues;
  /// Packed filters of it alone, and what sums of int8 begin with. Steps point there.
  std::vector<AlignedBuffer>& own_weights;

  ValueId input_id() const { return operation.inputs[0]; }
  const Value& input() const { return source.program.value(input_id()); }
  const Value& output() const { return source.program.value(operation.output); }
  const PixelLayout& input_layout() const { return map.layout(input_id()); }
  const PixelLayout& output_layout() const { return map.layout(operation.output); }

  /// Where the pixels lie, from `offset` floats on.
  Location input_at(int offset = 0) const { return map.location(input_id(), offset); }
  Location output_at(int offset = 0) const { return map.location(operation.output, offset); }

  /// The step, from the input's pixels to the output's.
  template <class OneStep>
  OneStep placed(OneStep step) const {
    step.input = input_at();
    step.output = output_at();
    return step;
  }

  kernels::WindowArgs over(const Window& window) const { return window_over(window, input(), output()); }
};

}  // namespace concertina::runtime
