#pragma once

#include "base/aligned_buffer.h"
#include "kernels/conv_types.h"
#include "runtime/memory_map.h"
#include "runtime/plan_source.h"

namespace concertina::runtime {

/// The scales and shifts of one sub-net: its biases, batch norms and what else is constant for a channel.
class Epilogues {
 public:
  /// `own` are the sub-net's own arrays, at its widths. Keeps the references.
  Epilogues(const PlanSource& source, const MemoryMap& map, const Subnet& subnet, const Weights& own,
            int lanes);

  /// That of the next operation in the program's order that has one, without its residual. scale and shift
  /// are placed as the output's pixel; the slopes of a PRelu that is the operation
  /// are its scale. Precondition: the operation is a
  /// convolution, linear layer, norm, PRelu, scale or shift.
  kernels::Epilogue next(const Operation& operation);

  /// The memory that all of them point into. It has to live on.
  AlignedBuffer take_memory() { return std::move(memory_); }

 private:
  std::size_t array_size(const Operation& operation) const;
  /// An array of one value for each feature of the output, where the pixel has it.
  const float* place(const std::vector<double>& values, const Operation& operation);

  const PlanSource& source_;
  const MemoryMap& map_;
  const Subnet& subnet_;
  const Weights& own_;
  int lanes_;
  AlignedBuffer memory_;
  std::size_t used_ = 0;
};

}  // namespace concertina::runtime
