#include "runtime/plan_steps.h"

#include "runtime/pointwise.h"

namespace concertina::runtime {
namespace {

using Steps = std::vector<Step>;

/// scale and shift of `epilogue` may be null.
Steps affine(const StepContext& context, const kernels::Epilogue& epilogue) {
  return {context.placed(AffineStep{.args = {.pixels = context.output().pixels(),
                                             .channels = context.output_layout().size,
                                             .scale = epilogue.scale,
                                             .shift = epilogue.shift,
                                             .act = epilogue.act}})};
}

Steps activation(const kernels::PointwiseFunction& function, const StepContext& context) {
  return {context.placed(ActivateStep{.args = {.pixels = context.output().pixels(),
                                               .channels = context.output_layout().size,
                                               .function = function}})};
}

Steps combination(kernels::Arithmetic arithmetic, const StepContext& context) {
  const Operation& operation = context.operation;
  const Graph& graph = context.source.graph;
  const Value& other = context.source.program.value(operation.inputs[1]);
  const std::vector<NodeId>& operands = graph.node(operation.node).inputs;
  const int pixels = context.output().pixels();
  const Location b = context.map.location(operation.inputs[1]);
  return {CombineStep{
      .args = {.arithmetic = arithmetic,
               .pixels = pixels,
               .channels = context.output_layout().size,
               .b_image_stride = other.pixels() * b.stride,
               .b_stride = other.pixels() == pixels ? b.stride : 0,
               .b_is_spread = graph.shape(operands[1]).channels < graph.shape(operands[0]).channels,
               .act = operation.act},
      .a = context.input_at(),
      .b = b,
      .output = context.output_at()}};
}

kernels::PoolArgs pool_args(const Window& window, const StepContext& context) {
  return {.channels = context.output_layout().size, .window = context.over(window)};
}

Steps steps_of(const op::BatchNorm&, const StepContext& context) {
  return affine(context, context.epilogues.next(context.operation));
}
Steps steps_of(const op::Scale&, const StepContext& context) {
  return affine(context, context.epilogues.next(context.operation));
}
Steps steps_of(const op::Shift&, const StepContext& context) {
  return affine(context, context.epilogues.next(context.operation));
}

Steps steps_of(const op::GroupNorm& op, const StepContext& context) {
  const kernels::Epilogue epilogue = context.epilogues.next(context.operation);
  const int channels = context.output_layout().segments[0].count;
  return {context.placed(NormalizeStep{.args = {.pixels = context.output().pixels(),
                                                .channels = channels,
                                                .group = op.group == 0 ? channels : op.group,
                                                .by_pixel = op.by_pixel,
                                                .epsilon = op.epsilon,
                                                .scale = epilogue.scale,
                                                .shift = epilogue.shift}})};
}

Steps steps_of(const op::PRelu&, const StepContext& context) {
  const float* slope = context.epilogues.next(context.operation).scale;
  return activation({.kind = kernels::PointwiseFunction::Kind::prelu, .slope = slope}, context);
}

Steps steps_of(const op::Activation& op, const StepContext& context) {
  if (op.is_relu()) return affine(context, {.act = kernels::FusedActivation::relu});
  const kernels::PointwiseFunction& both = context.operation.function;
  return activation(both ? both : pointwise(op), context);
}

Steps steps_of(const op::Add&, const StepContext& context) {
  return combination(kernels::Arithmetic::add, context);
}
Steps steps_of(const op::Mul&, const StepContext& context) {
  return combination(kernels::Arithmetic::multiply, context);
}

Steps steps_of(const op::MaxPool& op, const StepContext& context) {
  return {context.placed(MaxPoolStep{.args = pool_args(op.window, context)})};
}
Steps steps_of(const op::AveragePool& op, const StepContext& context) {
  return {context.placed(AveragePoolStep{.args = pool_args(op.window, context),
                                         .padding = {.counts = op.count_padding,
                                                     .pad_bottom = op.window.pad_bottom,
                                                     .pad_right = op.window.pad_right}})};
}
Steps steps_of(const op::GlobalAveragePool&, const StepContext& context) {
  return {context.placed(GlobalPoolStep{
      .args = {.pixels = context.input().pixels(), .channels = context.output_layout().size}})};
}

Steps steps_of(const op::ChannelReduce& op, const StepContext& context) {
  return {context.placed(ReduceChannelsStep{.args = {.pixels = context.output().pixels(),
                                                     .channels = context.input_layout().segments[0].count,
                                                     .reduction = channel_reduction(op.kind)}})};
}
Steps steps_of(const op::LocalResponseNorm& op, const StepContext& context) {
  return {context.placed(LocalResponseStep{.args = {.pixels = context.output().pixels(),
                                                    .channels = context.output_layout().segments[0].count,
                                                    .size = op.size,
                                                    .alpha = op.alpha,
                                                    .beta = op.beta,
                                                    .bias = op.bias}})};
}
Steps steps_of(const op::Softmax& op, const StepContext& context) {
  return {context.placed(SoftmaxStep{.args = {.pixels = context.output().pixels(),
                                              .channels = context.output_layout().segments[0].count,
                                              .logarithm = op.logarithm}})};
}

// lower() lets neither through.
Steps steps_of(const op::AsMap&, const StepContext&) {
  return {};
}
Steps steps_of(const op::Opaque&, const StepContext&) {
  return {};
}

}  // namespace

Steps make_steps(const StepContext& context) {
  if (context.operation.node == kNone) return move_steps(context);
  return std::visit([&](const auto& op) { return steps_of(op, context); },
                    context.source.graph.node(context.operation.node).op);
}

}  // namespace concertina::runtime
