#include "runtime/packing.h"

#include <algorithm>
#include <iterator>

#include "kernels/bf16_conv.h"
#include "kernels/depthwise.h"
#include "kernels/grouped.h"
#include "kernels/winograd.h"
#include "runtime/program.h"
#include "runtime/transposed.h"

namespace concertina::runtime {
namespace {

using kernels::Filter;

constexpr struct {
  Packing packing;
  std::string_view name;
} kPackingNames[] = {{Packing::direct, "direct"},          {Packing::depthwise, "depthwise"},
                     {Packing::grouped, "grouped"},        {Packing::winograd, "winograd"},
                     {Packing::winograd2, "winograd-2x2"}, {Packing::bf16, "bf16"}};

/// One filter for each segment of a depthwise convolution's input.
std::vector<LayerFilter> depthwise_filters(const Graph& graph, NodeId id, const op::Conv& conv) {
  std::vector<LayerFilter> filters;
  std::size_t begin = 0;
  for (const auto& [dimension, repeat] : graph.axis(graph.node(id).inputs[0])) {
    const int channels = graph.layout().dimensions[dimension].channels * repeat;
    const Filter filter{.groups = channels,
                        .out_channels = conv.out_channels / conv.in_channels,
                        .in_channels = 1,
                        .taps = conv.window.taps()};
    const bool simple = filter.out_channels == 1 && filter.taps <= kernels::kMaxDepthwiseTaps;
    filters.push_back(
        {.filter = filter, .packings = {simple ? Packing::depthwise : Packing::direct}, .begin = begin});
    begin += filter.floats();
  }
  return filters;
}

/// A part of each filter for each segment of the output: a sub-net keeps a prefix of each.
std::vector<LayerFilter> cut_by_outputs(const Graph& graph, NodeId id,
                                        const std::vector<LayerFilter>& whole) {
  std::vector<LayerFilter> parts;
  std::size_t begin = 0;
  for (const auto& [dimension, repeat] : graph.axis(id)) {
    std::size_t size = 0;
    for (const LayerFilter& filter : whole) {
      LayerFilter& part = parts.emplace_back(filter);
      part.filter.out_channels = graph.layout().dimensions[dimension].channels * repeat;
      part.begin = begin;
      Filter layer = part.filter;
      if (part.layer_taps > 0) layer.taps = part.layer_taps;
      size = layer.floats();
    }
    begin += size;
  }
  return parts;
}

/// Convolutions over the input as it is; see phases_of().
std::vector<LayerFilter> phase_filters(const Graph& graph, NodeId id, const op::Conv& conv,
                                       Precision precision) {
  std::vector<LayerFilter> filters;
  for (const Phase& phase : phases_of(conv)) {
    const Filter filter{.out_channels = conv.out_channels,
                        .in_channels = conv.in_channels,
                        .taps = static_cast<int>(phase.taps.size())};
    const bool rounded = precision == Precision::bf16 && kernels::can_run_bf16(filter);
    const kernels::WindowArgs window =
        window_of_phase(phase, conv, graph.shape(graph.node(id).inputs[0]), graph.shape(id));
    std::vector<Packing> packings = {Packing::direct};
    if (rounded)
      packings.insert(kernels::prefers_bf16(filter, window) ? packings.begin() : packings.end(),
                      Packing::bf16);
    filters.push_back({.filter = filter,
                       .window = window,
                       .packings = std::move(packings),
                       .taps = phase.taps,
                       .layer_taps = conv.window.taps()});
  }
  return filters;
}

std::vector<Packing> packings_of(const Filter& filter, const kernels::WindowArgs& window,
                                 Precision precision) {
  std::vector<Packing> packings;
  const auto add = [&](Packing packing) {
    if (std::find(packings.begin(), packings.end(), packing) == packings.end()) packings.push_back(packing);
  };
  const bool rounds = precision == Precision::bf16 && kernels::can_run_bf16(filter);
  if (rounds && kernels::prefers_bf16(filter, window)) add(Packing::bf16);
  if (const int side = kernels::preferred_side_winograd(filter, window); side > 0) {
    add(side == 2 ? Packing::winograd2 : Packing::winograd);
  }
  if (kernels::can_run_grouped(filter)) add(Packing::grouped);
  add(Packing::direct);
  if (kernels::can_run_winograd(filter, window)) {
    add(Packing::winograd2);
    add(Packing::winograd);
  }
  if (rounds) add(Packing::bf16);
  return packings;
}

}  // namespace

std::string_view packing_name(Packing packing) {
  return std::find_if(std::begin(kPackingNames), std::end(kPackingNames),
                      [&](const auto& known) { return known.packing == packing; })
      ->name;
}

std::optional<Packing> find_packing(std::string_view name) {
  for (const auto& known : kPackingNames) {
    if (known.name == name) return known.packing;
  }
  return std::nullopt;
}

std::vector<LayerFilter> layer_filters(const Graph& graph, NodeId id, Precision precision) {
  const Op& op = graph.node(id).op;
  if (const auto* linear = std::get_if<op::Linear>(&op)) {
    const Filter filter{.out_channels = linear->out_features, .in_channels = linear->in_features};
    return cut_by_outputs(graph, id, {{.filter = filter, .packings = packings_of(filter, {}, precision)}});
  }
  const auto* conv = std::get_if<op::Conv>(&op);
  if (conv == nullptr) return {};
  if (conv->depthwise()) return depthwise_filters(graph, id, *conv);
  if (std::vector<LayerFilter> phases = phase_filters(graph, id, *conv, precision); !phases.empty())
    return cut_by_outputs(graph, id, phases);
  const Filter filter{.groups = conv->groups,
                      .out_channels = conv->out_channels / conv->groups,
                      .in_channels = conv->in_channels / conv->groups,
                      .taps = conv->window.taps()};
  const kernels::WindowArgs window =
      window_over(conv->window, conv->dilated(graph.shape(graph.node(id).inputs[0])), graph.shape(id));
  const LayerFilter whole{
      .filter = filter, .window = window, .packings = packings_of(filter, window, precision)};
  return conv->groups > 1 ? std::vector{whole} : cut_by_outputs(graph, id, {whole});
}

}  // namespace concertina::runtime
