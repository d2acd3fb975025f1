#include "runtime/row_step.h"

#include "kernels/bf16_conv.h"
#include "kernels/depthwise.h"
#include "kernels/grouped.h"
#include "kernels/int8_conv.h"
#include "kernels/planar_conv.h"
#include "kernels/winograd.h"

namespace concertina::runtime {
namespace {

/// What a plain input needs in place of what bound() has set.
void bind_plain(const ConvStep& step, const float* input, kernels::ConvArgs& args) {
  const kernels::WindowArgs& whole = step.args.window;
  args.input = input;
  args.input_stride = 1;
  args.plane = std::ptrdiff_t{whole.in_h} * whole.in_w;
  args.image_stride = step.plain->channels * args.plane;
}

kernels::DepthwiseArgs depthwise_args(const kernels::ConvArgs& args) {
  return {.packed = args.packed,
          .full_channels = args.filter.groups,
          .channels = args.groups,
          .batch = args.batch,
          .window = args.window,
          .input = args.input,
          .input_stride = args.input_stride,
          .output = args.output,
          .output_stride = args.output_stride,
          .epilogue = args.epilogue};
}

}  // namespace

void LoadStep::run(const Frame& frame) const {
  kernels::FromPlainArgs bound_args = args;
  bound_args.batch = frame.batch;
  bound_args.input = plain.in(frame) + plane;
  bound_args.input_channels = plain.channels;
  bound_args.output = output.in(frame);
  bound_args.output_stride = output.stride;
  kernels::from_plain(bound_args, frame.pool);
}

void LoadStep::run_rows(const RowsFrame& frame) const {
  kernels::FromPlainArgs bound_args = args;
  bound_args.pixels = frame.window.out_h * frame.window.out_w;
  bound_args.input = frame.input + plane;
  bound_args.output = frame.output + output.channel;
  bound_args.output_stride = output.stride;
  kernels::from_plain(bound_args, frame.pool);
}

std::int64_t ConvStep::macs() const {
  std::int64_t inputs = 0;
  for (const kernels::ChannelRange& range : ranges) inputs += range.count;
  if (args.filter.groups > 1) inputs = args.filter.in_channels;
  const std::int64_t made = std::int64_t{args.window.out_h} * args.window.out_w;
  return (dilated_pixels > 0 ? dilated_pixels : made) * args.groups * args.out_channels * inputs *
         args.window.taps();
}

std::size_t ConvStep::workspace(const kernels::WindowArgs& window) const {
  switch (kernel) {
    case ConvKernel::planar:
      return kernels::workspace_planar(window, ranges);
    case ConvKernel::winograd:
      return kernels::workspace_winograd(side, ranges);
    case ConvKernel::bf16:
      return kernels::workspace_bf16(args.filter, window, ranges);
    case ConvKernel::int8:
      return kernels::workspace_int8(window, ranges);
    case ConvKernel::direct:
    case ConvKernel::grouped:
    case ConvKernel::depthwise:
      break;
  }
  return 0;
}

void ConvStep::run(const Frame& frame) const {
  kernels::ConvArgs bound_args = bound(*this, frame);
  bound_args.inputs = ranges;
  if (plain) bind_plain(*this, plain->in(frame), bound_args);
  if (residual) {
    bound_args.epilogue.residual = residual->in(frame);
    bound_args.epilogue.residual_stride = residual->stride;
  }
  call(bound_args, frame.workspace, frame.pool);
}

void ConvStep::run_rows(const RowsFrame& frame) const {
  kernels::ConvArgs bound_args = bound(*this, frame);
  bound_args.inputs = ranges;
  if (plain) bind_plain(*this, frame.input, bound_args);
  call(bound_args, frame.workspace, frame.pool);
}

void ConvStep::call(const kernels::ConvArgs& bound_args, float* workspace, ThreadPool& pool) const {
  switch (kernel) {
    case ConvKernel::direct:
      return kernels::conv(bound_args, pool);
    case ConvKernel::planar:
      return kernels::planar_conv(bound_args, workspace, pool);
    case ConvKernel::grouped:
      return kernels::grouped_conv(bound_args, pool);
    case ConvKernel::winograd:
      return kernels::winograd_conv(bound_args, side, workspace, pool);
    case ConvKernel::bf16:
      return kernels::bf16_conv(bound_args, workspace, pool);
    case ConvKernel::int8:
      return kernels::int8_conv(bound_args, workspace, pool);
    case ConvKernel::depthwise:
      return kernels::depthwise(depthwise_args(bound_args), pool);
  }
}

}  // namespace concertina::runtime
