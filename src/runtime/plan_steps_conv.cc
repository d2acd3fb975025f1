#include "kernels/bf16_conv.h"
#include "kernels/int8_conv.h"
#include "kernels/layout.h"
#include "runtime/plan_steps.h"
#include "runtime/transposed.h"

namespace concertina::runtime {
namespace {

/// A convolution's part that makes one segment, by the direct kernel and without its input ranges. `all` is
/// the epilogue of all segments.
ConvStep conv_into(const PixelSegment& segment, const kernels::Filter& filter, const float* packed,
                   const kernels::WindowArgs& window, const kernels::Epilogue& all,
                   const StepContext& context) {
  const bool grouped = filter.groups > 1;
  const ValueId residual = context.operation.residual;
  const auto* op = context.source.op_if<op::Conv>(context.operation);
  kernels::FusedFunction function = all.function;
  if (function.function.slope != nullptr) function.function.slope += segment.offset;
  ConvStep conv{.args = {.filter = filter,
                         .packed = packed,
                         .window = window,
                         .inputs = {},
                         .groups = grouped ? segment.count / filter.out_channels : 1,
                         .out_channels = grouped ? filter.out_channels : segment.count,
                         .epilogue = {.scale = all.scale + segment.offset,
                                      .shift = all.shift + segment.offset,
                                      .act = all.act,
                                      .function = function}},
                .ranges = {},
                .input = context.input_at(),
                .output = context.output_at(segment.offset),
                .residual = {}};
  if (residual != kNone) conv.residual = context.map.location(residual, segment.offset);
  if (op != nullptr && op->transposed()) {
    const Graph& graph = context.source.graph;
    const Shape& input = graph.shape(graph.node(context.operation.node).inputs[0]);
    conv.dilated_pixels = std::int64_t{input.height} * input.width;
  }
  return conv;
}

void take_planes(const StepContext& context, ConvStep& conv) {
  conv.plain = context.source.plain_input(context.input_id());
  for (kernels::ChannelRange& range : conv.ranges) range.input_offset = range.weight_begin;
}

/// Precondition: the layer's input is calibrated (calibration.h).
kernels::Int8Input input_with_starts(const kernels::ConvArgs& args,
                                     std::span<const kernels::ChannelRange> inputs,
                                     const StepContext& context) {
  const Graph& graph = context.source.graph;
  const NodeId read = graph.node(context.operation.node).inputs[0];
  const auto [scale, zero_point] = context.source.quantization.at(graph.node(read).name);
  kernels::Int8Input input = kernels::int8_input(*kernels::best_int8_unit(), scale, zero_point);
  if (input.zero_point == 0) return input;
  AlignedBuffer starts(static_cast<std::size_t>(kernels::int8_starts_size(args.out_channels)));
  auto* const sums = reinterpret_cast<std::int32_t*>(starts.data());
  kernels::int8_starts(args.filter, args.packed, inputs, args.out_channels, input.zero_point, sums);
  input.starts = sums;
  context.own_weights.push_back(std::move(starts));
  return input;
}

/// What runs a filter that all sub-nets share, over a whole map.
ConvStep shared_conv(const PackedFilter& packed, const PixelSegment& to, const kernels::WindowArgs& window,
                     const kernels::Epilogue& all, const StepContext& context) {
  const PlanSource& source = context.source;
  std::vector<kernels::ChannelRange> inputs = input_ranges(context.input_layout());
  const ConvChoice choice =
      source.choose(source.graph.node(context.operation.node), conv_choices(packed, inputs, to.count));
  const PackedFilter& taken = taken_by(choice, packed);
  const kernels::Filter& filter = choice.few ? taken.few : taken.filter;
  const float* data = choice.few ? source.packed.few_data(taken) : source.packed.data(taken);
  ConvStep conv = conv_into(to, filter, data, window, all, context);
  conv.kernel = choice.kernel;
  if (conv.kernel == ConvKernel::winograd) conv.side = winograd_side(taken.packing);
  if (conv.kernel == ConvKernel::bf16) conv.args.bf16_unit = kernels::best_bf16_unit();
  if (conv.kernel == ConvKernel::int8) conv.args.int8 = input_with_starts(conv.args, inputs, context);
  conv.ranges = std::move(inputs);
  return conv;
}

/// One step for each segment of the output.
std::vector<Step> transposed_steps(const op::Conv& op, const StepContext& context) {
  const std::vector<TransposedPart> parts = parts_of(op);
  const kernels::Epilogue all = context.epilogues.next(context.operation);
  const auto filters = context.source.packed.filters(context.source.graph.node(context.operation.node));
  std::vector<Step> steps;
  std::size_t next = 0;
  for (const PixelSegment& to : context.output_layout().segments) {
    TransposedStep step{.parts = {},
                        .stride_h = op.input_dilation_h,
                        .stride_w = op.input_dilation_w,
                        .out_h = context.output().height,
                        .out_w = context.output().width,
                        .output = context.output_at(to.offset)};
    for (const TransposedPart& part : parts) {
      const PackedFilter& filter = filters[next++];
      const kernels::WindowArgs window = window_of_part(part, op, context.input(), context.output());
      if (window.out_h == 0 || window.out_w == 0) continue;
      ConvStep conv = shared_conv(filter, to, window, all, context);
      conv.output = {.stride = kernels::round_up(to.count, kernels::vector_lanes())};
      step.parts.push_back({.conv = std::move(conv), .row = part.row, .column = part.column});
    }
    steps.push_back(with_workspace(std::move(step)));
  }
  return steps;
}

/// One call for each segment of the output; a convolution in groups has only one.
std::vector<Step> shared_steps(const kernels::WindowArgs& window, const StepContext& context) {
  const PlanSource& source = context.source;
  const NodeId node = context.operation.node;
  const kernels::Epilogue all = context.epilogues.next(context.operation);
  const std::vector<PixelSegment>& to = context.output_layout().segments;
  std::vector<Step> steps;
  for (std::size_t i = 0; i < to.size(); ++i) {
    const PackedFilter& packed = source.packed.filters(source.graph.node(node))[i];
    ConvStep conv = shared_conv(packed, to[i], window, all, context);
    if (context.input_layout().plain) take_planes(context, conv);
    steps.push_back(std::move(conv));
  }
  return steps;
}

/// One call for each segment, which reads its own input channels.
std::vector<Step> depthwise_steps(const kernels::WindowArgs& window, const StepContext& context) {
  const PackedWeights& weights = context.source.packed;
  const kernels::Epilogue all = context.epilogues.next(context.operation);
  std::vector<Step> steps;
  for (std::size_t i = 0; i < context.output_layout().segments.size(); ++i) {
    const PackedFilter& packed = weights.filters(context.source.graph.node(context.operation.node))[i];
    ConvStep conv = conv_into(context.output_layout().segments[i], packed.filter, weights.data(packed),
                              window, all, context);
    if (packed.packing == Packing::depthwise) conv.kernel = ConvKernel::depthwise;
    conv.ranges = {{.count = 1}};  // if there is one group only
    conv.input = context.input_at(context.input_layout().segments[i].offset);
    steps.push_back(std::move(conv));
  }
  return steps;
}

/// `weight` has the sub-net's own sizes, so its rows and columns have no gaps.
std::vector<Step> own_linear_steps(const Array& weight, const StepContext& context) {
  const kernels::Epilogue all = context.epilogues.next(context.operation);
  const float* rows = weight.values.data();
  std::vector<Step> steps;
  for (const PixelSegment& to : context.output_layout().segments) {
    const kernels::Filter filter{.out_channels = to.count, .in_channels = weight.shape[1]};
    AlignedBuffer packed(kernels::packed_size_conv(filter));
    kernels::pack_conv(filter, rows, packed.data());
    rows += std::ptrdiff_t{to.count} * weight.shape[1];
    ConvStep linear = conv_into(to, filter, packed.data(), {}, all, context);
    int column = 0;
    for (const PixelSegment& from : context.input_layout().segments) {
      linear.ranges.push_back({.weight_begin = column, .input_offset = from.offset, .count = from.count});
      column += from.count;
    }
    steps.push_back(std::move(linear));
    context.own_weights.push_back(std::move(packed));
  }
  return steps;
}

}  // namespace

std::vector<Step> steps_of(const op::Conv& conv, const StepContext& context) {
  if (has_parts(conv)) return transposed_steps(conv, context);
  const kernels::WindowArgs window = context.over(conv.window);
  return conv.depthwise() ? depthwise_steps(window, context) : shared_steps(window, context);
}

std::vector<Step> steps_of(const op::Linear&, const StepContext& context) {
  const Node& node = context.source.graph.node(context.operation.node);
  const auto own = context.own.find(parameter_name(node, "weight"));
  return own == context.own.end() ? shared_steps({}, context) : own_linear_steps(own->second, context);
}

}  // namespace concertina::runtime
