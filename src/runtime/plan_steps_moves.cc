#include "kernels/layout.h"
#include "runtime/plan_steps.h"

namespace concertina::runtime {
namespace {

using Steps = std::vector<Step>;

CopyStep copy(const StepContext& context, int channels, const Location& from, const Location& to) {
  return {.args = {.pixels = context.output().pixels(), .channels = channels}, .input = from, .output = to};
}

/// Active feature i of the result is the input's source(i).
template <typename Source>
Steps gather(const StepContext& context, const Source& source) {
  std::vector<std::int32_t> offsets;
  for (const PixelSegment& segment : context.input_layout().segments) {
    for (int i = 0; i < segment.count; ++i) offsets.push_back(segment.offset + i);
  }
  const PixelLayout& to = context.output_layout();
  std::vector<std::int32_t> sources(static_cast<std::size_t>(to.size), offsets[0]);
  int feature = 0;
  for (const PixelSegment& segment : to.segments) {
    for (int i = 0; i < segment.count; ++i) sources[segment.offset + i] = offsets[source(feature++)];
  }
  return {context.placed(GatherStep{.args = {.pixels = context.output().pixels(), .sources = {}},
                                    .sources = std::move(sources)})};
}

int active(const PixelLayout& layout) {
  int sum = 0;
  for (const PixelSegment& segment : layout.segments) sum += segment.count;
  return sum;
}

/// Without its rows and columns.
template <typename Resample>
Resample resample(const StepContext& context) {
  return context.placed(Resample{.args = {.channels = context.output_layout().size,
                                          .in_h = context.input().height,
                                          .in_w = context.input().width,
                                          .rows = {},
                                          .columns = {}}});
}

}  // namespace

Steps steps_of(const op::Input& op, const StepContext& context) {
  if (context.output_layout().plain) return {};
  const int pixels = op.shape.height * op.shape.width;
  const PlainInput plain = context.source.plain_input(context.operation.output);
  std::ptrdiff_t plane = 0;
  Steps steps;
  for (const auto& [feature, offset, count] : context.output_layout().segments) {
    steps.push_back(LoadStep{.args = {.channels = count, .pixels = pixels, .plane = pixels},
                             .plain = plain,
                             .plane = plane,
                             .output = context.output_at(offset)});
    plane += std::ptrdiff_t{count} * pixels;
  }
  return steps;
}

Steps steps_of(const op::Flatten&, const StepContext& context) {
  auto flatten = context.placed(FlattenStep{.args = {.pixels = context.input().pixels(), .segments = {}}});
  const std::vector<PixelSegment>& from = context.input_layout().segments;
  for (std::size_t i = 0; i < from.size(); ++i) {
    flatten.segments.push_back({.input_offset = from[i].offset,
                                .count = from[i].count,
                                .output_offset = context.output_layout().segments[i].offset});
  }
  return {std::move(flatten)};
}

Steps steps_of(const op::Concat&, const StepContext& context) {
  const PlanSource& source = context.source;
  Placement at = source.storage.placement(context.operation.output);
  int offset = 0;
  Steps steps;
  for (const ValueId part : context.operation.inputs) {
    const int size = context.map.layout(part).size;
    if (source.storage.placement(part) != at) {
      steps.push_back(copy(context, size, context.map.location(part), context.output_at(offset)));
    }
    offset += size;
    at.before.push_back({part, source.program.value(part).segments()});
  }
  return steps;
}

Steps steps_of(const op::Slice& op, const StepContext& context) {
  const PlanSource& source = context.source;
  const std::optional<int> first = first_segment(source.graph, context.operation.node);
  if (!first) {  // all channels are locked
    return gather(context, [&](int feature) { return op.begin + feature; });
  }
  if (source.storage.is_view(context.operation.output, context.input_id(), *first)) return {};
  return {copy(context, context.output_layout().size, context.input_at(context.input_layout().before(*first)),
               context.output_at())};
}

Steps steps_of(const op::PadChannels& op, const StepContext& context) {
  const PixelLayout& made = context.output_layout();
  const int channels = context.source.graph.shape(context.operation.node).channels;
  int lead = 0, rest = 0;  // segments of zeros, and those before the zeros at the end
  for (const PixelSegment& segment : made.segments) {
    lead += segment.feature < op.before ? 1 : 0;
    rest += segment.feature < channels - op.after ? 1 : 0;
  }
  const int begin = made.before(lead), end = made.before(rest);
  Steps steps = {copy(context, end - begin, context.input_at(), context.output_at(begin))};
  const auto zeros = [&](int from, int to) {
    if (from == to) return;
    auto fill = resample<PickStep>(context);  // of nothing
    fill.args.channels = to - from;
    fill.rows.assign(static_cast<std::size_t>(context.output().height), -1);
    fill.columns.assign(static_cast<std::size_t>(context.output().width), -1);
    fill.output = context.output_at(from);
    steps.push_back(std::move(fill));
  };
  zeros(0, begin);
  zeros(end, made.size);
  return steps;
}

Steps steps_of(const op::ChannelShuffle& op, const StepContext& context) {
  const int channels = context.source.graph.shape(context.operation.node).channels;
  return gather(context, [&](int c) { return c % op.groups * (channels / op.groups) + c / op.groups; });
}

Steps steps_of(const op::DepthToSpace& op, const StepContext& context) {
  const Value &input = context.input(), &output = context.output();
  if (input.pixels() == output.pixels()) {
    const int channels = active(context.output_layout()) / op.pixels();
    return gather(context, [&](int i) { return op.deep_channel(i % channels, i / channels, channels); });
  }
  // As if each vector of the input were a pixel: a part of a pixel of the input is so many of them.
  const int lanes = kernels::vector_lanes(), part = context.output_layout().size / lanes;
  auto pick = resample<PickStep>(context);
  const auto pixel = static_cast<int>(pick.input.stride / lanes);
  pick.input.stride = lanes;
  pick.args.in_h = input.pixels() * pixel;
  pick.args.in_w = 1;
  for (int y = 0; y < output.height; ++y)
    pick.rows.push_back(y / op.block * input.width * pixel + y % op.block * op.block * part);
  for (int x = 0; x < output.width; ++x) pick.columns.push_back(x / op.block * pixel + x % op.block * part);
  return {std::move(pick)};
}

Steps steps_of(const op::SpaceToDepth& op, const StepContext& context) {
  const Value &input = context.input(), &output = context.output();
  if (input.pixels() == output.pixels()) {
    const int channels = active(context.input_layout()) / op.pixels();
    return gather(context, [&](int i) { return i % op.pixels() * channels + i / op.pixels(); });
  }
  Steps steps;
  for (int pixel = 0; pixel < op.pixels(); ++pixel) {
    auto pick = resample<PickStep>(context);
    pick.args.channels = context.input_layout().size;
    pick.output = context.output_at(pixel * pick.args.channels);
    for (int y = 0; y < output.height; ++y) pick.rows.push_back(y * op.block + pixel / op.block);
    for (int x = 0; x < output.width; ++x) pick.columns.push_back(x * op.block + pixel % op.block);
    steps.push_back(std::move(pick));
  }
  return steps;
}

Steps steps_of(const op::Pad& op, const StepContext& context) {
  const Value &input = context.input(), &output = context.output();
  auto pick = resample<PickStep>(context);
  pick.args.value = op.value;
  for (int y = 0; y < output.height; ++y) pick.rows.push_back(op.source(y, op.top, input.height));
  for (int x = 0; x < output.width; ++x) pick.columns.push_back(op.source(x, op.left, input.width));
  return {std::move(pick)};
}

Steps steps_of(const op::Resize& op, const StepContext& context) {
  const auto rows = op.rows(context.input().height), columns = op.columns(context.input().width);
  if (op.mode == op::Resize::Mode::nearest) {
    auto pick = resample<PickStep>(context);
    for (const auto& tap : rows) pick.rows.push_back(tap.first);
    for (const auto& tap : columns) pick.columns.push_back(tap.first);
    return {std::move(pick)};
  }
  auto blend = resample<BlendStep>(context);
  for (const auto& [first, second, share] : rows) blend.rows.push_back({first, second, share});
  for (const auto& [first, second, share] : columns) blend.columns.push_back({first, second, share});
  return {std::move(blend)};
}

/// Zeros between the pixels.
Steps dilation_steps(const StepContext& context) {
  const auto spread = [](int from, int to) {
    std::vector<int> sources(static_cast<std::size_t>(to), -1);
    const int step = from > 1 ? (to - 1) / (from - 1) : 1;
    for (int i = 0; i < from; ++i) sources[i * step] = i;
    return sources;
  };
  auto pick = resample<PickStep>(context);
  pick.rows = spread(context.input().height, context.output().height);
  pick.columns = spread(context.input().width, context.output().width);
  return {std::move(pick)};
}

Steps move_steps(const StepContext& context) {
  if (context.input().pixels() != context.output().pixels()) return dilation_steps(context);
  Steps steps;
  for (const auto& [from, to, count] : moves(context.input_layout(), context.output_layout())) {
    steps.push_back(copy(context, count, context.input_at(from), context.output_at(to)));
  }
  return steps;
}

Steps store_steps(ValueId value, std::ptrdiff_t begin, const PlanSource& source, const MemoryMap& map) {
  const PixelLayout& layout = map.layout(value);
  const int pixels = source.program.value(value).pixels(), channels = active(layout);
  std::ptrdiff_t plane = 0;
  Steps steps;
  for (const auto& [feature, offset, count] : layout.segments) {
    steps.push_back(StoreStep{.args = {.channels = count, .pixels = pixels, .output_channels = channels},
                              .input = map.location(value, offset),
                              .begin = begin,
                              .plane = plane});
    plane += std::ptrdiff_t{count} * pixels;
  }
  return steps;
}

}  // namespace concertina::runtime
