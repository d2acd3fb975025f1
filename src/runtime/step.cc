#include "runtime/step.h"

#include "kernels/bf16_conv.h"
#include "kernels/grouped.h"
#include "kernels/planar_conv.h"
#include "kernels/winograd.h"

namespace concertina::runtime {
namespace {

/// The arguments for these pixels, of every kernel with one input and one output.
template <typename StepType>
auto bound(const StepType& step, const float* input, float* output) {
  auto args = step.args;
  args.input = input + step.input.channel;
  args.input_stride = step.input.stride;
  args.output = output + step.output.channel;
  args.output_stride = step.output.stride;
  return args;
}

template <typename StepType>
auto bound(const StepType& step, const Frame& frame) {
  return bound(step, step.input.pixels(frame), step.output.pixels(frame));
}

/// The same for rows of one image.
template <typename StepType>
auto bound(const StepType& step, const RowsFrame& frame) {
  auto args = bound(step, frame.input, frame.output);
  args.window = frame.window;
  return args;
}

/// The same for those that take the batch apart from the pixels.
template <typename StepType>
auto bound_batch(const StepType& step, const Frame& frame) {
  auto args = bound(step, frame);
  args.batch = frame.batch;
  return args;
}

/// The same for those that treat every pixel alone.
template <typename StepType>
auto bound_pixels(const StepType& step, const Frame& frame) {
  auto args = bound(step, frame);
  args.pixels *= frame.batch;
  return args;
}

void bind_residual(const std::optional<Location>& residual, const Frame& frame, kernels::Epilogue& epilogue) {
  if (!residual) return;
  epilogue.residual = residual->in(frame);
  epilogue.residual_stride = residual->stride;
}

/// What a plain input needs in place of what bound() has set.
void bind_plain(const ConvStep& step, const float* input, kernels::ConvArgs& args) {
  if (!step.plain) return;
  const kernels::WindowArgs& whole = step.args.window;
  args.input = input;
  args.input_stride = 1;
  args.plane = std::ptrdiff_t{whole.in_h} * whole.in_w;
  args.image_stride = step.plain->channels * args.plane;
}

kernels::ConvArgs bound_conv(const ConvStep& step, const Frame& frame) {
  kernels::ConvArgs args = bound_batch(step, frame);
  if (step.plain) bind_plain(step, step.plain->in(frame), args);
  args.inputs = step.ranges;
  bind_residual(step.residual, frame, args.epilogue);
  return args;
}

kernels::ConvArgs bound_conv(const ConvStep& step, const RowsFrame& frame) {
  kernels::ConvArgs args = bound(step, frame);
  bind_plain(step, frame.input, args);
  args.inputs = step.ranges;
  return args;
}

std::int64_t output_pixels(const kernels::WindowArgs& window) {
  return std::int64_t{window.out_h} * window.out_w;
}

std::int64_t macs_of(const ConvStep& step) {
  std::int64_t inputs = 0;
  for (const kernels::ChannelRange& range : step.ranges) inputs += range.count;
  if (step.args.filter.groups > 1) inputs = step.args.filter.in_channels;
  return output_pixels(step.args.window) * step.args.groups * step.args.out_channels * inputs *
         step.args.window.taps();
}

}  // namespace

std::int64_t macs_of(const Step& step) {
  if (const auto* conv = std::get_if<ConvStep>(&step)) return macs_of(*conv);
  if (const auto* grouped = std::get_if<GroupedStep>(&step)) return macs_of(grouped->conv);
  if (const auto* winograd = std::get_if<WinogradStep>(&step)) return macs_of(winograd->conv);
  if (const auto* planar = std::get_if<PlanarStep>(&step)) return macs_of(planar->conv);
  if (const auto* bf16 = std::get_if<Bf16Step>(&step)) return macs_of(bf16->conv);
  if (const auto* depthwise = std::get_if<DepthwiseStep>(&step)) {
    return output_pixels(depthwise->args.window) * depthwise->args.channels * depthwise->args.window.taps();
  }
  return 0;
}

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

void ConvStep::run(const Frame& frame) const {
  kernels::conv(bound_conv(*this, frame), frame.pool);
}

void ConvStep::run_rows(const RowsFrame& frame) const {
  kernels::conv(bound_conv(*this, frame), frame.pool);
}

void GroupedStep::run(const Frame& frame) const {
  kernels::grouped_conv(bound_conv(conv, frame), frame.pool);
}

void GroupedStep::run_rows(const RowsFrame& frame) const {
  kernels::grouped_conv(bound_conv(conv, frame), frame.pool);
}

void WinogradStep::run(const Frame& frame) const {
  kernels::winograd_conv(bound_conv(conv, frame), side, frame.workspace, frame.pool);
}

void WinogradStep::run_rows(const RowsFrame& frame) const {
  kernels::winograd_conv(bound_conv(conv, frame), side, frame.workspace, frame.pool);
}

void PlanarStep::run(const Frame& frame) const {
  kernels::planar_conv(bound_conv(conv, frame), frame.workspace, frame.pool);
}

void PlanarStep::run_rows(const RowsFrame& frame) const {
  kernels::planar_conv(bound_conv(conv, frame), frame.workspace, frame.pool);
}

void Bf16Step::run(const Frame& frame) const {
  kernels::bf16_conv(bound_conv(conv, frame), frame.workspace, frame.pool);
}

void Bf16Step::run_rows(const RowsFrame& frame) const {
  kernels::bf16_conv(bound_conv(conv, frame), frame.workspace, frame.pool);
}

void DepthwiseStep::run(const Frame& frame) const {
  auto bound_args = bound_batch(*this, frame);
  bind_residual(residual, frame, bound_args.epilogue);
  kernels::depthwise(bound_args, frame.pool);
}

void DepthwiseStep::run_rows(const RowsFrame& frame) const {
  kernels::depthwise(bound(*this, frame), frame.pool);
}

void CombineStep::run(const Frame& frame) const {
  kernels::CombineArgs bound_args = args;
  bound_args.batch = frame.batch;
  bound_args.a = a.in(frame);
  bound_args.a_stride = a.stride;
  bound_args.b = b.in(frame);
  bound_args.output = output.in(frame);
  bound_args.output_stride = output.stride;
  kernels::combine(bound_args, frame.pool);
}

void ActivateStep::run(const Frame& frame) const {
  kernels::activate(bound_pixels(*this, frame), frame.pool);
}

void AffineStep::run(const Frame& frame) const {
  kernels::affine(bound_pixels(*this, frame), frame.pool);
}

void SoftmaxStep::run(const Frame& frame) const {
  kernels::softmax(bound_pixels(*this, frame), frame.pool);
}

void CopyStep::run(const Frame& frame) const {
  kernels::copy_channels(bound_pixels(*this, frame), frame.pool);
}

void GatherStep::run(const Frame& frame) const {
  auto bound_args = bound_pixels(*this, frame);
  bound_args.sources = sources;
  kernels::gather_channels(bound_args, frame.pool);
}

void PickStep::run(const Frame& frame) const {
  auto bound_args = bound_batch(*this, frame);
  bound_args.rows = rows;
  bound_args.columns = columns;
  kernels::pick_pixels(bound_args, frame.pool);
}

void BlendStep::run(const Frame& frame) const {
  auto bound_args = bound_batch(*this, frame);
  bound_args.rows = rows;
  bound_args.columns = columns;
  kernels::blend_pixels(bound_args, frame.pool);
}

void MaxPoolStep::run(const Frame& frame) const {
  kernels::max_pool(bound_batch(*this, frame), frame.pool);
}

void MaxPoolStep::run_rows(const RowsFrame& frame) const {
  kernels::max_pool(bound(*this, frame), frame.pool);
}

void AveragePoolStep::run(const Frame& frame) const {
  kernels::average_pool(bound_batch(*this, frame), padding, frame.pool);
}

void GlobalPoolStep::run(const Frame& frame) const {
  kernels::global_average_pool(bound_batch(*this, frame), frame.pool);
}

void FlattenStep::run(const Frame& frame) const {
  auto bound_args = bound_batch(*this, frame);
  bound_args.segments = segments;
  kernels::flatten(bound_args, frame.pool);
}

void StoreStep::run(const Frame& frame) const {
  kernels::ToPlainArgs bound_args = args;
  bound_args.batch = frame.batch;
  bound_args.input = input.in(frame);
  bound_args.input_stride = input.stride;
  bound_args.output = frame.logits + begin * frame.batch + plane;
  kernels::to_plain(bound_args, frame.pool);
}

}  // namespace concertina::runtime
