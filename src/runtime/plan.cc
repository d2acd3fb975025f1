#include "runtime/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/bf16_conv.h"
#include "kernels/target.h"
#include "kernels/winograd.h"
#include "runtime/epilogues.h"
#include "runtime/memory_map.h"
#include "runtime/window_over.h"

namespace concertina::runtime {
namespace {

std::string kind_of(const Op& op) {
  const auto* conv = std::get_if<op::Conv>(&op);
  if (conv == nullptr) return std::string(type_name(op));
  const Window& w = conv->window;
  return fmt::format("{} {}x{}{}", conv->depthwise() ? "Depthwise" : "Conv", w.kernel_h, w.kernel_w,
                     w.stride_h > 1 || w.stride_w > 1 ? fmt::format(" /{}", w.stride_h) : "");
}

class PlanBuilder {
 public:
  PlanBuilder(const PlanSource& source, const Subnet& subnet, const Weights& own)
      : source_(source),
        subnet_(subnet),
        own_(own),
        map_(source.network.graph.layout(), source.program, source.storage, subnet, kernels::vector_lanes()),
        epilogues_(source.network, source.program, map_, subnet, own, kernels::vector_lanes()) {}

  Plan build() {
    plan_.arena_floats = map_.size();
    for (const FusedStep& step : source_.program.steps) {
      add_step(step);
      label_steps(step.node == kNone ? "move" : source_.network.graph.node(step.node).name,
                  step.node == kNone ? "Copy" : kind_of(op_of(step)));
    }
    add_stores();
    label_steps("output", "Store");
    plan_.epilogues = epilogues_.take_memory();
    return std::move(plan_);
  }

 private:
  void add_step(const FusedStep& step) {
    if (step.node == kNone) return add_moves(step);
    std::visit([&](const auto& op) { add(op, step); }, op_of(step));
  }

  /// Labels those that were added since the last call.
  void label_steps(const std::string& name, const std::string& kind) {
    for (std::size_t i = plan_.labels.size(); i < plan_.steps.size(); ++i) {
      plan_.labels.push_back({.name = name, .kind = kind, .macs = macs_of(plan_.steps[i])});
    }
  }

  void add(const op::Input& op, const FusedStep& step) {
    const auto [channels, height, width] = op.shape;
    plan_.steps.push_back(LoadStep{.args = {.channels = channels, .pixels = height * width},
                                   .output = map_.place(step.output)});
  }

  void add(const op::Conv& op, const FusedStep& step) {
    const kernels::Window window = window_over(op.window, input(step), output(step));
    if (op.depthwise()) return add_depthwise(window, step);
    add_conv(window, step);
  }
  void add(const op::Linear&, const FusedStep& step) {
    const auto own = own_.find(source_.network.graph.node(step.node).name + ".weight");
    if (own == own_.end()) return add_conv({}, step);
    add_own_linear(own->second, step);
  }

  void add(const op::BatchNorm&, const FusedStep& step) {
    const kernels::Epilogue params = epilogues_.next(step);
    add_affine(step, params.scale, params.shift, step.act);
  }
  void add(const op::Relu&, const FusedStep& step) {
    add_affine(step, nullptr, nullptr, kernels::Activation::kRelu);
  }
  void add(const op::Relu6&, const FusedStep& step) {
    add_affine(step, nullptr, nullptr, kernels::Activation::kRelu6);
  }

  void add(const op::Add&, const FusedStep& step) {
    plan_.steps.push_back(AddStep{
        .args = {.pixels = output(step).pixels(), .channels = map_.layout(step.output).size, .act = step.act},
        .a = map_.place(step.inputs[0]),
        .b = map_.place(step.inputs[1]),
        .output = map_.place(step.output)});
  }

  void add(const op::MaxPool& op, const FusedStep& step) {
    plan_.steps.push_back(MaxPoolStep{.args = pool_args(op.window, step),
                                      .input = map_.place(step.inputs[0]),
                                      .output = map_.place(step.output)});
  }
  void add(const op::AveragePool& op, const FusedStep& step) {
    plan_.steps.push_back(AveragePoolStep{.args = pool_args(op.window, step),
                                          .padding = {.counts = op.count_padding,
                                                      .pad_bottom = op.window.pad_bottom,
                                                      .pad_right = op.window.pad_right},
                                          .input = map_.place(step.inputs[0]),
                                          .output = map_.place(step.output)});
  }
  void add(const op::GlobalAveragePool&, const FusedStep& step) {
    plan_.steps.push_back(
        GlobalPoolStep{.args = {.pixels = input(step).pixels(), .channels = map_.layout(step.output).size},
                       .input = map_.place(step.inputs[0]),
                       .output = map_.place(step.output)});
  }

  void add(const op::Flatten&, const FusedStep& step) {
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
  void add(const op::Concat&, const FusedStep& step) {
    Placement at = source_.storage.placement(step.output);
    int offset = 0;
    for (const ValueId part : step.inputs) {
      const int size = map_.layout(part).size;
      if (source_.storage.placement(part) != at) {
        add_copy(step, size, map_.place(part), map_.place(step.output, offset));
      }
      offset += size;
      at.before.push_back(part);
    }
  }

  void add(const op::Softmax&, const FusedStep& step) {
    plan_.steps.push_back(SoftmaxStep{
        .args = {.pixels = output(step).pixels(), .channels = map_.layout(step.output).segments[0].count},
        .input = map_.place(step.inputs[0]),
        .output = map_.place(step.output)});
  }

  void add(const op::Opaque&, const FusedStep&) {}  // lower() lets none through

  void add_moves(const FusedStep& step) {
    for (const auto& [from, to, count] : moves(map_.layout(step.inputs[0]), map_.layout(step.output))) {
      add_copy(step, count, map_.place(step.inputs[0], from), map_.place(step.output, to));
    }
  }

  void add_copy(const FusedStep& step, int channels, const Place& from, const Place& to) {
    plan_.steps.push_back(CopyStep{
        .args = {.pixels = output(step).pixels(), .channels = channels}, .input = from, .output = to});
  }

  void add_conv(const kernels::Window& window, const FusedStep& step) {
    const PackedFilter& packed = source_.packed.filters(step.node)[0];
    ConvStep conv{.args = {.filter = packed.filter,
                           .packed = source_.packed.data(packed),
                           .window = window,
                           .inputs = {},
                           .groups = packed.filter.groups,
                           .out_channels = map_.layout(step.output).segments[0].count / packed.filter.groups,
                           .epilogue = epilogues_.next(step)},
                  .ranges = {},
                  .input = map_.place(step.inputs[0]),
                  .output = map_.place(step.output),
                  .residual = residual(step, 0)};
    for (const auto& [feature, offset, count] : map_.layout(step.inputs[0]).segments) {
      conv.ranges.push_back({.weight_begin = feature, .input_offset = offset, .count = count});
    }
    switch (packed.packing) {
      case Packing::kWinograd:
        need_workspace(kernels::winograd_workspace(conv.ranges));
        plan_.steps.push_back(WinogradStep{std::move(conv)});
        break;
      case Packing::kBf16:
        need_workspace(kernels::bf16_workspace(packed.filter, window, conv.ranges));
        plan_.steps.push_back(Bf16Step{std::move(conv)});
        break;
      case Packing::kDirect:
      case Packing::kDepthwise:
        plan_.steps.push_back(std::move(conv));
        break;
    }
  }

  void need_workspace(std::size_t floats) {
    plan_.workspace_floats = std::max(plan_.workspace_floats, floats);
  }

  /// `weight` has the sub-net's own sizes, so its rows and columns have no gaps.
  void add_own_linear(const Array& weight, const FusedStep& step) {
    const kernels::Filter filter{.out_channels = weight.shape[0], .in_channels = weight.shape[1]};
    AlignedBuffer packed(kernels::packed_size(filter));
    kernels::pack_conv(filter, weight.values.data(), packed.data());
    ConvStep linear{.args = {.filter = filter,
                             .packed = packed.data(),
                             .window = {},
                             .inputs = {},
                             .groups = 1,
                             .out_channels = filter.out_channels,
                             .epilogue = epilogues_.next(step)},
                    .ranges = {},
                    .input = map_.place(step.inputs[0]),
                    .output = map_.place(step.output),
                    .residual = residual(step, 0)};
    int column = 0;
    for (const PixelSegment& segment : map_.layout(step.inputs[0]).segments) {
      linear.ranges.push_back(
          {.weight_begin = column, .input_offset = segment.offset, .count = segment.count});
      column += segment.count;
    }
    plan_.steps.push_back(std::move(linear));
    plan_.own_weights.push_back(std::move(packed));
  }

  /// One call for each segment.
  void add_depthwise(const kernels::Window& window, const FusedStep& step) {
    const kernels::Epilogue all = epilogues_.next(step);
    const PixelLayout& from = map_.layout(step.inputs[0]);
    const PixelLayout& to = map_.layout(step.output);
    for (std::size_t i = 0; i < to.segments.size(); ++i) {
      const PackedFilter& packed = source_.packed.filters(step.node)[i];
      const int at = to.segments[i].offset;
      const Place in = map_.place(step.inputs[0], from.segments[i].offset);
      const Place out = map_.place(step.output, at);
      const kernels::Epilogue epilogue{.scale = all.scale + at, .shift = all.shift + at, .act = all.act};
      if (packed.packing == Packing::kDepthwise) {
        plan_.steps.push_back(DepthwiseStep{.args = {.packed = source_.packed.data(packed),
                                                     .full_channels = packed.filter.groups,
                                                     .channels = from.segments[i].count,
                                                     .window = window,
                                                     .epilogue = epilogue},
                                            .input = in,
                                            .output = out,
                                            .residual = residual(step, at)});
      } else {
        plan_.steps.push_back(ConvStep{.args = {.filter = packed.filter,
                                                .packed = source_.packed.data(packed),
                                                .window = window,
                                                .inputs = {},
                                                .groups = from.segments[i].count,
                                                .out_channels = packed.filter.out_channels,
                                                .epilogue = epilogue},
                                       .ranges = {},
                                       .input = in,
                                       .output = out,
                                       .residual = residual(step, at)});
      }
    }
  }

  void add_affine(const FusedStep& step, const float* scale, const float* shift, kernels::Activation act) {
    plan_.steps.push_back(AffineStep{.args = {.pixels = output(step).pixels(),
                                              .channels = map_.layout(step.output).size,
                                              .scale = scale,
                                              .shift = shift,
                                              .act = act},
                                     .input = map_.place(step.inputs[0]),
                                     .output = map_.place(step.output)});
  }

  void add_stores() {
    const ValueId result = source_.program.output;
    const int pixels = source_.program.value(result).pixels();
    const int channels =
        active_shape(source_.network.graph, source_.network.graph.output(), subnet_).channels;
    std::ptrdiff_t plane = 0;
    for (const auto& [feature, offset, count] : map_.layout(result).segments) {
      plan_.steps.push_back(
          StoreStep{.args = {.channels = count, .pixels = pixels, .output_channels = channels},
                    .input = map_.place(result, offset),
                    .plane = plane});
      plane += std::ptrdiff_t{count} * pixels;
    }
  }

  kernels::PoolArgs pool_args(const Window& window, const FusedStep& step) const {
    return {.channels = map_.layout(step.output).size,
            .window = window_over(window, input(step), output(step))};
  }

  std::optional<Place> residual(const FusedStep& step, int offset) const {
    if (step.residual == kNone) return std::nullopt;
    return map_.place(step.residual, offset);
  }

  const Op& op_of(const FusedStep& step) const { return source_.network.graph.node(step.node).op; }
  const Value& input(const FusedStep& step) const { return source_.program.value(step.inputs[0]); }
  const Value& output(const FusedStep& step) const { return source_.program.value(step.output); }

  const PlanSource& source_;
  const Subnet& subnet_;
  const Weights& own_;
  MemoryMap map_;
  Epilogues epilogues_;
  Plan plan_;
};

}  // namespace

Plan make_plan(const PlanSource& source, const Subnet& subnet, const Weights& own) {
  return PlanBuilder(source, subnet, own).build();
}

}  // namespace concertina::runtime
