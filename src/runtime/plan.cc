#include "runtime/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/layout.h"
#include "runtime/apart.h"
#include "runtime/epilogues.h"
#include "runtime/memory_map.h"
#include "runtime/passes.h"
#include "runtime/pixel_units.h"
#include "runtime/plan_conv.h"
#include "runtime/window_over.h"

namespace concertina::runtime {
namespace {

std::string kind_of(const Op& op) {
  const auto* conv = std::get_if<op::Conv>(&op);
  if (conv == nullptr) return std::string(type_name(op));
  const Window& w = conv->window;
  const bool dilated = w.dilation_h > 1 || w.dilation_w > 1;
  return fmt::format("{} {}x{}{}{}",
                     conv->depthwise()  ? "Depthwise"
                     : conv->groups > 1 ? "Grouped"
                                        : "Conv",
                     w.kernel_h, w.kernel_w,
                     w.stride_h > 1 || w.stride_w > 1 ? fmt::format(" /{}", w.stride_h) : "",
                     dilated ? fmt::format(" dilated {}", w.dilation_h) : "");
}

class PlanBuilder {
 public:
  PlanBuilder(const PlanSource& source, const Subnet& subnet, const Weights& own)
      : source_(source),
        layouts_(make_layouts(source, subnet)),
        passes_(choose_passes(source, layouts_)),
        map_(source.program, source.storage, layouts_, passes_),
        epilogues_(source.network, source.program, map_, subnet, own, kernels::vector_lanes()),
        conv_source_{source, map_, own, epilogues_} {}

  Plan build() {
    plan_.arena_floats = map_.size();
    for (const Pass& pass : passes_) add_pass(pass);
    if (graph().inputs() == 1) set_apart();
    add_stores();
    plan_.layer_macs = mean_layer_macs();
    plan_.epilogues = epilogues_.take_memory();
    return std::move(plan_);
  }

 private:
  static std::vector<PixelLayout> make_layouts(const PlanSource& source, const Subnet& subnet) {
    const std::vector<Value>& values = source.program.values;
    const auto layouts = [&](const std::vector<int>& units) {
      std::vector<PixelLayout> all;
      for (std::size_t i = 0; i < values.size(); ++i) {
        all.push_back(pixel_layout(source.network.graph.layout(), values[i], subnet, units[i]));
      }
      return all;
    };
    const auto whole_vectors = layouts(std::vector(values.size(), kernels::vector_lanes()));
    std::vector<PixelLayout> all = layouts(pixel_units(source, whole_vectors));
    const std::vector<bool> plain = plain_values(source, whole_vectors);
    for (std::size_t i = 0; i < all.size(); ++i) all[i].plain = plain[i];
    return all;
  }

  void add_pass(const Pass& pass) {
    const std::size_t first = plan_.steps.size();
    Traffic traffic;
    for (const ValueId id : program_step(pass.begin).inputs) traffic.maps += bytes(id);
    traffic.maps += bytes(program_step(pass.end - 1).output);
    std::vector<std::vector<RowStep>> layers;
    std::vector<kernels::WindowArgs> windows;
    for (int s = pass.begin; s < pass.end; ++s) {
      const Operation& step = program_step(s);
      add_step(step);
      label_steps(first, step.node == kNone ? "move" : graph().node(step.node).name,
                  step.node == kNone ? "Copy" : kind_of(op_of(step)), pass.count() > 1);
      for (std::size_t i = first; i < plan_.steps.size(); ++i) {
        traffic.weights += macs_of(plan_.steps[i]) / output(step).pixels() * std::int64_t{sizeof(float)};
      }
      if (pass.count() == 1) continue;
      layers.push_back(take_row_steps(first));
      windows.push_back(band_layer(source_, step)->window);
    }
    if (!layers.empty()) {
      BandedStep banded = make_banded(std::move(layers), windows, source_.bands.memory);
      plan_.need_workspace(static_cast<std::size_t>(banded.memory));
      plan_.steps.push_back(std::move(banded));
    }
    traffic_.push_back(traffic);
    ends_.push_back(plan_.steps.size());
  }

  /// Takes those from `first` on out of the plan.
  std::vector<RowStep> take_row_steps(std::size_t first) {
    std::vector<RowStep> taken;
    const auto begin = plan_.steps.begin() + static_cast<std::ptrdiff_t>(first);
    for (auto step = begin; step != plan_.steps.end(); ++step) {
      std::visit(
          [&]<class StepType>(StepType& one) {
            if constexpr (std::is_constructible_v<RowStep, StepType>) taken.push_back(std::move(one));
          },
          *step);
    }
    plan_.steps.erase(begin, plan_.steps.end());
    return taken;
  }

  void add_step(const Operation& step) {
    if (step.node == kNone) return add_moves(step);
    std::visit([&](const auto& op) { add(op, step); }, op_of(step));
  }

  /// Labels those from `first` on, which may become one.
  void label_steps(std::size_t first, const std::string& name, const std::string& kind, bool as_one = false) {
    for (std::size_t i = first; i < plan_.steps.size(); ++i) {
      plan_.labels.push_back(
          {.name = name, .kind = kind, .macs = macs_of(plan_.steps[i]), .step = as_one ? first : i});
    }
  }

  std::int64_t bytes(ValueId id) const {
    return std::int64_t{source_.program.value(id).pixels()} * map_.layout(id).stride *
           std::int64_t{sizeof(float)};
  }

  void set_apart() {
    const auto apart = static_cast<std::size_t>(steps_apart(traffic_));
    if (apart == 0 || ends_[apart - 1] == 0) return;
    plan_.apart = static_cast<int>(ends_[apart - 1]);
    const int end_apart = passes_[apart - 1].end;
    for (ValueId id = 0; id < static_cast<ValueId>(source_.program.values.size()); ++id) {
      const auto [begin, end] = source_.storage.lifetimes[id];
      if (!source_.storage.is_root(id) || begin >= end_apart || end < end_apart) continue;
      if (map_.layout(id).plain) continue;
      plan_.carried.push_back(
          {.buffer = map_.place(id).buffer, .floats = bytes(id) / std::int64_t{sizeof(float)}});
    }
  }

  std::int64_t mean_layer_macs() const {
    std::int64_t macs = 0, layers = 0;
    for (const StepLabel& label : plan_.labels) {
      macs += label.macs;
      layers += label.macs > 0 ? 1 : 0;
    }
    return macs / std::max<std::int64_t>(1, layers);
  }

  void add(const op::Input& op, const Operation& step) {
    if (map_.layout(step.output).plain) return;
    const int pixels = op.shape.height * op.shape.width;
    const PlainInput plain = plain_input(graph(), source_.program, step.output);
    std::ptrdiff_t plane = 0;
    for (const auto& [feature, offset, count] : map_.layout(step.output).segments) {
      plan_.steps.push_back(LoadStep{.args = {.channels = count, .pixels = pixels, .plane = pixels},
                                     .plain = plain,
                                     .plane = plane,
                                     .output = map_.place(step.output, offset)});
      plane += std::ptrdiff_t{count} * pixels;
    }
  }

  void add(const op::Conv&, const Operation& step) { add_conv_steps(step, conv_source_, plan_); }
  void add(const op::Linear&, const Operation& step) { add_conv_steps(step, conv_source_, plan_); }

  void add(const op::BatchNorm&, const Operation& step) { add_affine(step, epilogues_.next(step)); }
  void add(const op::Scale&, const Operation& step) { add_affine(step, epilogues_.next(step)); }
  void add(const op::Shift&, const Operation& step) { add_affine(step, epilogues_.next(step)); }

  void add(const op::Activation& op, const Operation& step) {
    using Kind = kernels::PointwiseFunction::Kind;
    switch (op.function) {
      case op::Function::relu:
        return add_affine(step, {.act = kernels::FusedActivation::relu});
      case op::Function::clip:
        return add_function(step, {Kind::clip, op.a, op.b});
      case op::Function::leaky_relu:
        return add_function(step, {Kind::leaky_relu, op.a});
      case op::Function::hard_sigmoid:
        return add_function(step, {Kind::hard_sigmoid, op.a, op.b});
      case op::Function::hard_swish:
        return add_function(step, {Kind::hard_swish});
      case op::Function::sigmoid:
        return add_function(step, {Kind::sigmoid});
    }
  }

  void add(const op::Add&, const Operation& step) { add_combination(step, kernels::Arithmetic::add); }
  void add(const op::Mul&, const Operation& step) { add_combination(step, kernels::Arithmetic::multiply); }

  void add(const op::MaxPool& op, const Operation& step) {
    plan_.steps.push_back(MaxPoolStep{.args = pool_args(op.window, step),
                                      .input = map_.place(step.inputs[0]),
                                      .output = map_.place(step.output)});
  }
  void add(const op::AveragePool& op, const Operation& step) {
    plan_.steps.push_back(AveragePoolStep{.args = pool_args(op.window, step),
                                          .padding = {.counts = op.count_padding,
                                                      .pad_bottom = op.window.pad_bottom,
                                                      .pad_right = op.window.pad_right},
                                          .input = map_.place(step.inputs[0]),
                                          .output = map_.place(step.output)});
  }
  void add(const op::GlobalAveragePool&, const Operation& step) {
    plan_.steps.push_back(
        GlobalPoolStep{.args = {.pixels = input(step).pixels(), .channels = map_.layout(step.output).size},
                       .input = map_.place(step.inputs[0]),
                       .output = map_.place(step.output)});
  }

  void add(const op::Flatten&, const Operation& step) {
    FlattenStep flatten{.args = {.pixels = input(step).pixels(), .segments = {}},
                        .segments = {},
                        .input = map_.place(step.inputs[0]),
                        .output = map_.place(step.output)};
    const PixelLayout& from = map_.layout(step.inputs[0]);
    const PixelLayout& to = map_.layout(step.output);
    for (std::size_t i = 0; i < from.segments.size(); ++i) {
      flatten.segments.push_back({.input_offset = from.segments[i].offset,
                                  .count = from.segments[i].count,
                                  .output_offset = to.segments[i].offset});
    }
    plan_.steps.push_back(std::move(flatten));
  }

  /// Copies the parts that could not be made in their place.
  void add(const op::Concat&, const Operation& step) {
    Placement at = source_.storage.placement(step.output);
    int offset = 0;
    for (const ValueId part : step.inputs) {
      const int size = map_.layout(part).size;
      if (source_.storage.placement(part) != at) {
        add_copy(step, size, map_.place(part), map_.place(step.output, offset));
      }
      offset += size;
      at.before.push_back({part, source_.program.value(part).segments()});
    }
  }

  /// Copies the channels if they could not stay where they are.
  void add(const op::Slice& op, const Operation& step) {
    const ValueId from = step.inputs[0];
    const std::optional<int> first = first_segment(graph(), step.node);
    if (!first) {  // all channels are locked
      return add_gather(step, [&](int feature) { return op.begin + feature; });
    }
    if (source_.storage.is_view(step.output, from, *first)) return;
    add_copy(step, map_.layout(step.output).size, map_.place(from, map_.layout(from).before(*first)),
             map_.place(step.output));
  }
  void add(const op::ChannelShuffle& op, const Operation& step) {
    const int channels = graph().shape(step.node).channels;
    add_gather(step, [&](int c) { return c % op.groups * (channels / op.groups) + c / op.groups; });
  }

  void add(const op::Pad& op, const Operation& step) {
    PickStep pick = resampling<PickStep>(step);
    pick.args.value = op.value;
    for (int y = 0; y < output(step).height; ++y)
      pick.rows.push_back(op.source(y, op.top, input(step).height));
    for (int x = 0; x < output(step).width; ++x)
      pick.columns.push_back(op.source(x, op.left, input(step).width));
    plan_.steps.push_back(std::move(pick));
  }
  void add(const op::Resize& op, const Operation& step) {
    const auto rows = op.rows(input(step).height), columns = op.columns(input(step).width);
    if (op.mode == op::Resize::Mode::nearest) {
      PickStep pick = resampling<PickStep>(step);
      for (const auto& tap : rows) pick.rows.push_back(tap.first);
      for (const auto& tap : columns) pick.columns.push_back(tap.first);
      plan_.steps.push_back(std::move(pick));
    } else {
      BlendStep blend = resampling<BlendStep>(step);
      for (const auto& [first, second, share] : rows) blend.rows.push_back({first, second, share});
      for (const auto& [first, second, share] : columns) blend.columns.push_back({first, second, share});
      plan_.steps.push_back(std::move(blend));
    }
  }

  void add(const op::Softmax&, const Operation& step) {
    plan_.steps.push_back(SoftmaxStep{
        .args = {.pixels = output(step).pixels(), .channels = map_.layout(step.output).segments[0].count},
        .input = map_.place(step.inputs[0]),
        .output = map_.place(step.output)});
  }

  // lower() lets neither through.
  void add(const op::AsMap&, const Operation&) {}
  void add(const op::Opaque&, const Operation&) {}

  /// Feature i of the result is the input's source(i). Precondition: every channel is locked.
  template <typename Source>
  void add_gather(const Operation& step, const Source& source) {
    const PixelLayout& to = map_.layout(step.output);
    std::vector<std::int32_t> places;
    for (const PixelSegment& segment : map_.layout(step.inputs[0]).segments) {
      for (int i = 0; i < segment.count; ++i) places.push_back(segment.offset + i);
    }
    std::vector<std::int32_t> sources(static_cast<std::size_t>(to.size), places[0]);
    int feature = 0;
    for (const PixelSegment& segment : to.segments) {
      for (int i = 0; i < segment.count; ++i) {
        sources[segment.offset + i] = places[source(feature++)];
      }
    }
    plan_.steps.push_back(GatherStep{.args = {.pixels = output(step).pixels(), .sources = {}},
                                     .sources = std::move(sources),
                                     .input = map_.place(step.inputs[0]),
                                     .output = map_.place(step.output)});
  }

  /// Without its rows and columns.
  template <typename Resampling>
  Resampling resampling(const Operation& step) const {
    return {.args = {.channels = map_.layout(step.output).size,
                     .in_h = input(step).height,
                     .in_w = input(step).width,
                     .rows = {},
                     .columns = {}},
            .rows = {},
            .columns = {},
            .input = map_.place(step.inputs[0]),
            .output = map_.place(step.output)};
  }

  void add_moves(const Operation& step) {
    for (const auto& [from, to, count] : moves(map_.layout(step.inputs[0]), map_.layout(step.output))) {
      add_copy(step, count, map_.place(step.inputs[0], from), map_.place(step.output, to));
    }
  }

  void add_copy(const Operation& step, int channels, const Location& from, const Location& to) {
    plan_.steps.push_back(CopyStep{
        .args = {.pixels = output(step).pixels(), .channels = channels}, .input = from, .output = to});
  }

  /// scale and shift of `epilogue` may be null.
  void add_affine(const Operation& step, const kernels::Epilogue& epilogue) {
    plan_.steps.push_back(AffineStep{.args = {.pixels = output(step).pixels(),
                                              .channels = map_.layout(step.output).size,
                                              .scale = epilogue.scale,
                                              .shift = epilogue.shift,
                                              .act = epilogue.act},
                                     .input = map_.place(step.inputs[0]),
                                     .output = map_.place(step.output)});
  }

  void add_function(const Operation& step, const kernels::PointwiseFunction& function) {
    plan_.steps.push_back(ActivateStep{.args = {.pixels = output(step).pixels(),
                                                .channels = map_.layout(step.output).size,
                                                .function = function},
                                       .input = map_.place(step.inputs[0]),
                                       .output = map_.place(step.output)});
  }

  void add_combination(const Operation& step, kernels::Arithmetic arithmetic) {
    const Value& other = source_.program.value(step.inputs[1]);
    const std::vector<NodeId>& operands = graph().node(step.node).inputs;
    const Location b = map_.place(step.inputs[1]);
    plan_.steps.push_back(CombineStep{
        .args = {.arithmetic = arithmetic,
                 .pixels = output(step).pixels(),
                 .channels = map_.layout(step.output).size,
                 .b_image_stride = other.pixels() * b.stride,
                 .b_stride = other.pixels() == output(step).pixels() ? b.stride : 0,
                 .b_is_spread = graph().shape(operands[1]).channels < graph().shape(operands[0]).channels,
                 .act = step.act},
        .a = map_.place(step.inputs[0]),
        .b = b,
        .output = map_.place(step.output)});
  }

  void add_stores() {
    std::ptrdiff_t begin = 0;
    for (std::size_t i = 0; i < source_.program.outputs.size(); ++i) {
      const NodeId node = graph().outputs()[i];
      const Shape& shape = graph().shape(node);  // outputs are locked
      const ValueId value = source_.program.outputs[i];
      const int pixels = shape.height * shape.width;
      const std::size_t first = plan_.steps.size();
      std::ptrdiff_t plane = 0;
      for (const auto& [feature, offset, count] : map_.layout(value).segments) {
        plan_.steps.push_back(
            StoreStep{.args = {.channels = count, .pixels = pixels, .output_channels = shape.channels},
                      .input = map_.place(value, offset),
                      .begin = begin,
                      .plane = plane});
        plane += std::ptrdiff_t{count} * pixels;
      }
      begin += shape.elements();
      label_steps(first, source_.program.outputs.size() > 1 ? graph().node(node).name : "output", "Store");
    }
  }

  kernels::PoolArgs pool_args(const Window& window, const Operation& step) const {
    return {.channels = map_.layout(step.output).size,
            .window = window_over(window, input(step), output(step))};
  }

  const Graph& graph() const { return source_.network.graph; }
  const Operation& program_step(int i) const { return source_.program.steps[i]; }
  const Op& op_of(const Operation& step) const { return graph().node(step.node).op; }
  const Value& input(const Operation& step) const { return source_.program.value(step.inputs[0]); }
  const Value& output(const Operation& step) const { return source_.program.value(step.output); }

  const PlanSource& source_;
  std::vector<PixelLayout> layouts_;
  std::vector<Pass> passes_;
  MemoryMap map_;
  std::vector<Traffic> traffic_;   // of each pass
  std::vector<std::size_t> ends_;  // of each pass's steps
  Epilogues epilogues_;
  ConvSource conv_source_;
  Plan plan_;
};

}  // namespace

void Plan::need_workspace(std::size_t floats) {
  constexpr std::size_t kLine = AlignedBuffer::kAlignment / sizeof(float);
  workspace_floats = std::max(workspace_floats, (floats + kLine - 1) / kLine * kLine);
}

Plan make_plan(const PlanSource& source, const Subnet& subnet, const Weights& own) {
  return PlanBuilder(source, subnet, own).build();
}

}  // namespace concertina::runtime
