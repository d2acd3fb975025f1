#pragma once

#include <vector>

#include "runtime/frame.h"

/// Calls of kernels that have one input and one output.
namespace concertina::runtime {

/// A step's arguments with what a run brings. A kernel without a batch treats every pixel alone, and its
/// args.pixels in the step are those of one image.
template <class StepType>
auto bound(const StepType& step, const Frame& frame) {
  auto args = step.args;
  args.input = step.input.in(frame);
  args.input_stride = step.input.stride;
  args.output = step.output.in(frame);
  args.output_stride = step.output.stride;
  if constexpr (requires { args.batch; }) {
    args.batch = frame.batch;
  } else {
    args.pixels *= frame.batch;
  }
  return args;
}

/// The same for rows of one image.
template <class StepType>
auto bound(const StepType& step, const RowsFrame& frame) {
  auto args = step.args;
  args.window = frame.window;
  args.input = frame.input + step.input.channel;
  args.input_stride = step.input.stride;
  args.output = frame.output + step.output.channel;
  args.output_stride = step.output.stride;
  return args;
}

template <class Args>
using Kernel = void(const Args&, ThreadPool&);

/// The kernel needs no more than its arguments.
template <class Args, Kernel<Args>& kernel>
struct KernelStep {
  Args args;
  Location input = {};
  Location output = {};

  void run(const Frame& frame) const { kernel(bound(*this, frame), frame.pool); }
  void run_rows(const RowsFrame& frame) const { kernel(bound(*this, frame), frame.pool); }
};

/// args.rows and args.columns are the step's.
template <class Args, Kernel<Args>& kernel, class Source>
struct ResampleStep {
  Args args;
  std::vector<Source> rows = {};
  std::vector<Source> columns = {};
  Location input = {};
  Location output = {};

  void run(const Frame& frame) const {
    Args bound_args = bound(*this, frame);
    bound_args.rows = rows;
    bound_args.columns = columns;
    kernel(bound_args, frame.pool);
  }
};

}  // namespace concertina::runtime
