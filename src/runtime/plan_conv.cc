#include "runtime/plan_conv.h"

#include <algorithm>

#include "kernels/bf16_conv.h"
#include "kernels/planar_conv.h"
#include "kernels/winograd.h"
#include "runtime/window_over.h"

namespace concertina::runtime {
namespace {

class ConvBuilder {
 public:
  ConvBuilder(const ConvSource& source, Plan& plan)
      : source_(source.shared),
        map_(source.map),
        own_(source.own),
        epilogues_(source.epilogues),
        plan_(plan) {}

  void add(const Operation& step) {
    const Node& node = source_.network.graph.node(step.node);
    if (const auto* conv = std::get_if<op::Conv>(&node.op)) {
      const Program& program = source_.program;
      const kernels::WindowArgs window =
          window_over(conv->window, program.value(step.inputs[0]), program.value(step.output));
      return conv->depthwise() ? add_depthwise(window, step) : add_conv(window, step);
    }
    const auto own = own_.find(node.name + ".weight");
    if (own == own_.end()) return add_conv({}, step);
    add_own_linear(own->second, step);
  }

 private:
  /// One call for each segment of the output; a convolution in groups has only one.
  void add_conv(const kernels::WindowArgs& window, const Operation& step) {
    const kernels::Epilogue all = epilogues_.next(step);
    const std::vector<PixelSegment>& to = map_.layout(step.output).segments;
    for (std::size_t i = 0; i < to.size(); ++i) {
      const PackedFilter& packed = source_.packed.filters(step.node)[i];
      std::vector<kernels::ChannelRange> inputs = input_ranges(map_.layout(step.inputs[0]));
      const ConvChoice choice =
          source_.choose(source_.network.graph.node(step.node), conv_choices(packed, inputs, to[i].count));
      const kernels::Filter& filter = choice.few ? packed.few : packed.filter;
      const float* data = choice.few ? source_.packed.few_data(packed) : source_.packed.data(packed);
      ConvStep conv = conv_into(to[i], filter, data, window, all, step);
      conv.ranges = std::move(inputs);
      if (map_.layout(step.inputs[0]).plain) take_planes(step, conv);
      add_chosen(choice.kernel, winograd_side(packed.packing), std::move(conv));
    }
  }

  void take_planes(const Operation& step, ConvStep& conv) const {
    conv.plain = plain_input(source_.network.graph, source_.program, step.inputs[0]);
    for (kernels::ChannelRange& range : conv.ranges) range.input_offset = range.weight_begin;
  }

  void add_chosen(ConvKernel kernel, int side, ConvStep conv) {
    switch (kernel) {
      case ConvKernel::grouped:
        plan_.steps.push_back(GroupedStep{std::move(conv)});
        break;
      case ConvKernel::winograd:
        plan_.need_workspace(kernels::workspace_winograd(side, conv.ranges));
        plan_.steps.push_back(WinogradStep{std::move(conv), side});
        break;
      case ConvKernel::bf16:
        plan_.need_workspace(kernels::workspace_bf16(conv.args.filter, conv.args.window, conv.ranges));
        conv.args.bf16_unit = kernels::best_bf16_unit();
        plan_.steps.push_back(Bf16Step{std::move(conv)});
        break;
      case ConvKernel::planar:
        plan_.need_workspace(kernels::workspace_planar(conv.args.window, conv.ranges));
        plan_.steps.push_back(PlanarStep{std::move(conv)});
        break;
      case ConvKernel::direct:
      case ConvKernel::depthwise:
        plan_.steps.push_back(std::move(conv));
        break;
    }
  }

  /// The part of a step that makes one segment, without its input ranges.
  ConvStep conv_into(const PixelSegment& segment, const kernels::Filter& filter, const float* packed,
                     const kernels::WindowArgs& window, const kernels::Epilogue& all, const Operation& step) {
    const bool grouped = filter.groups > 1;
    return {.args = {.filter = filter,
                     .packed = packed,
                     .window = window,
                     .inputs = {},
                     .groups = grouped ? segment.count / filter.out_channels : 1,
                     .out_channels = grouped ? filter.out_channels : segment.count,
                     .epilogue = part_of(all, segment.offset)},
            .ranges = {},
            .input = map_.place(step.inputs[0]),
            .output = map_.place(step.output, segment.offset),
            .residual = residual(step, segment.offset)};
  }

  static kernels::Epilogue part_of(const kernels::Epilogue& all, int offset) {
    return {.scale = all.scale + offset, .shift = all.shift + offset, .act = all.act};
  }

  /// `weight` has the sub-net's own sizes, so its rows and columns have no gaps.
  void add_own_linear(const Array& weight, const Operation& step) {
    const kernels::Epilogue all = epilogues_.next(step);
    const float* rows = weight.values.data();
    for (const PixelSegment& to : map_.layout(step.output).segments) {
      const kernels::Filter filter{.out_channels = to.count, .in_channels = weight.shape[1]};
      AlignedBuffer packed(kernels::packed_size_conv(filter));
      kernels::pack_conv(filter, rows, packed.data());
      rows += std::ptrdiff_t{to.count} * weight.shape[1];
      ConvStep linear = conv_into(to, filter, packed.data(), {}, all, step);
      int column = 0;
      for (const PixelSegment& from : map_.layout(step.inputs[0]).segments) {
        linear.ranges.push_back({.weight_begin = column, .input_offset = from.offset, .count = from.count});
        column += from.count;
      }
      plan_.steps.push_back(std::move(linear));
      plan_.own_weights.push_back(std::move(packed));
    }
  }

  /// One call for each segment.
  void add_depthwise(const kernels::WindowArgs& window, const Operation& step) {
    const kernels::Epilogue all = epilogues_.next(step);
    const PixelLayout& from = map_.layout(step.inputs[0]);
    const PixelLayout& to = map_.layout(step.output);
    for (std::size_t i = 0; i < to.segments.size(); ++i) {
      const PackedFilter& packed = source_.packed.filters(step.node)[i];
      const int at = to.segments[i].offset;
      const Location in = map_.place(step.inputs[0], from.segments[i].offset);
      const Location out = map_.place(step.output, at);
      const kernels::Epilogue epilogue = part_of(all, at);
      if (packed.packing == Packing::depthwise) {
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
                                       .ranges = {{.count = 1}},  // if there is one group only
                                       .input = in,
                                       .output = out,
                                       .residual = residual(step, at)});
      }
    }
  }

  std::optional<Location> residual(const Operation& step, int offset) const {
    if (step.residual == kNone) return std::nullopt;
    return map_.place(step.residual, offset);
  }

  const PlanSource& source_;
  const MemoryMap& map_;
  const Weights& own_;
  Epilogues& epilogues_;
  Plan& plan_;
};

}  // namespace

PlainInput plain_input(const Graph& graph, const Program& program, ValueId value) {
  const NodeId input = std::find_if(program.steps.begin(), program.steps.end(), [&](const Operation& step) {
                         return step.output == value;
                       })->node;
  PlainInput plain{.channels = graph.shape(input).channels};
  for (NodeId id = 0; id < input; ++id) plain.begin += graph.shape(id).elements();
  return plain;
}

std::vector<kernels::ChannelRange> input_ranges(const PixelLayout& input) {
  std::vector<kernels::ChannelRange> ranges;
  for (const auto& [feature, offset, count] : input.segments) {
    ranges.push_back({.weight_begin = feature, .input_offset = offset, .count = count});
  }
  return ranges;
}

void add_conv_steps(const Operation& step, const ConvSource& source, Plan& plan) {
  ConvBuilder(source, plan).add(step);
}

}  // namespace concertina::runtime
