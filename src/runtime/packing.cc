#include "runtime/packing.h"

#include <algorithm>
#include <iterator>

#include "kernels/bf16_conv.h"
#include "kernels/depthwise.h"
#include "kernels/grouped.h"
#include "kernels/int8_conv.h"
#include "kernels/winograd.h"
#include "runtime/program.h"
#include "runtime/transposed.h"

namespace concertina::runtime {
namespace {

using kernels::Filter;

constexpr struct {
  Packing packing;
  std::string_view name;
} kPackingNames[] = {
    {Packing::direct, "direct"},     {Packing::depthwise, "depthwise"},    {Packing::grouped, "grouped"},
    {Packing::winograd, "winograd"}, {Packing::winograd2, "winograd-2x2"}, {Packing::bf16, "bf16"},
    {Packing::int8, "int8"}};

/// Besides fp32, which every layer can have.
struct Allowed {
  bool bf16;
  bool int8;
  bool by_rule;  ///< where the rules of thumb prefer it; else only where a measurement does

  Allowed(Precision precision, bool calibrated)
      : bf16(precision == Precision::bf16 ||
             (precision == Precision::automatic && kernels::best_bf16_unit() != nullptr)),
        int8(calibrated && (precision == Precision::int8 || precision == Precision::automatic)),
        by_rule(precision != Precision::automatic) {}

  bool prefers_bf16(const Filter& filter, int winograd_side) const {
    return by_rule && kernels::prefers_bf16(filter, winograd_side);
  }
  bool prefers_int8(const Filter& filter, int winograd_side) const {
    return by_rule && kernels::prefers_int8(filter, winograd_side);
  }
};

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
    const int channels = graph.layout().dimensions[dimension].channels * repeat;
    for (const LayerFilter& filter : whole) {
      LayerFilter& part = parts.emplace_back(filter);
      part.filter.out_channels = channels;
      part.begin = begin;
    }
    Filter layer = parts.back().filter;
    if (!parts.back().taps.empty()) layer.taps = parts.back().layer_taps;
    begin += layer.floats();
  }
  return parts;
}

/// Convolutions over the input as it is; see parts_of().
std::vector<LayerFilter> part_filters(const Graph& graph, NodeId id, const op::Conv& conv,
                                      const Allowed& allowed) {
  std::vector<LayerFilter> filters;
  const Shape &input = graph.shape(graph.node(id).inputs[0]), &output = graph.shape(id);
  const Filter whole{
      .out_channels = conv.out_channels, .in_channels = conv.in_channels, .taps = conv.window.taps()};
  std::vector<Packing> packings = {Packing::direct};
  if (allowed.bf16 && kernels::can_run_bf16(whole)) {
    packings.insert(allowed.prefers_bf16(whole, 0) ? packings.begin() : packings.end(), Packing::bf16);
  }
  if (allowed.int8 && kernels::can_run_int8(whole)) {
    packings.insert(allowed.prefers_int8(whole, 0) ? packings.begin() : packings.end(), Packing::int8);
  }
  for (const TransposedPart& part : parts_of(conv)) {
    Filter filter = whole;
    filter.taps = static_cast<int>(part.taps.size());
    filters.push_back({.filter = filter,
                       .window = window_of_part(part, conv, input, output),
                       .packings = packings,
                       .taps = part.taps,
                       .layer_taps = whole.taps});
  }
  return filters;
}

std::vector<Packing> packings_of(const Filter& filter, const kernels::WindowArgs& window,
                                 const Allowed& allowed) {
  std::vector<Packing> packings;
  const auto add = [&](Packing packing) {
    if (std::find(packings.begin(), packings.end(), packing) == packings.end()) packings.push_back(packing);
  };
  const bool rounds = allowed.bf16 && kernels::can_run_bf16(filter);
  const bool quantizes = allowed.int8 && kernels::can_run_int8(filter);
  const int side = kernels::preferred_side_winograd(filter, window);
  if (rounds && allowed.prefers_bf16(filter, side)) add(Packing::bf16);
  if (quantizes && allowed.prefers_int8(filter, side)) add(Packing::int8);
  if (side > 0) add(side == 2 ? Packing::winograd2 : Packing::winograd);
  if (kernels::can_run_grouped(filter)) add(Packing::grouped);
  add(Packing::direct);
  if (kernels::can_run_winograd(filter, window)) {
    add(Packing::winograd2);
    add(Packing::winograd);
  }
  if (rounds) add(Packing::bf16);
  if (quantizes) add(Packing::int8);
  return packings;
}

}  // namespace

std::vector<Packing> all_packings() {
  std::vector<Packing> all;
  for (const auto& known : kPackingNames) all.push_back(known.packing);
  return all;
}

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

std::vector<LayerFilter> layer_filters(const Graph& graph, NodeId id, Precision precision, bool calibrated) {
  const Allowed allowed(precision, calibrated);
  const Op& op = graph.node(id).op;
  if (const auto* linear = std::get_if<op::Linear>(&op)) {
    const Filter filter{.out_channels = linear->out_features, .in_channels = linear->in_features};
    return cut_by_outputs(graph, id, {{.filter = filter, .packings = packings_of(filter, {}, allowed)}});
  }
  const auto* conv = std::get_if<op::Conv>(&op);
  if (conv == nullptr) return {};
  if (conv->depthwise()) return depthwise_filters(graph, id, *conv);
  if (has_parts(*conv)) return cut_by_outputs(graph, id, part_filters(graph, id, *conv, allowed));
  const Filter filter{.groups = conv->groups,
                      .out_channels = conv->out_channels / conv->groups,
                      .in_channels = conv->in_channels / conv->groups,
                      .taps = conv->window.taps()};
  const kernels::WindowArgs window =
      window_over(conv->window, conv->dilated(graph.shape(graph.node(id).inputs[0])), graph.shape(id));
  const LayerFilter whole{
      .filter = filter, .window = window, .packings = packings_of(filter, window, allowed)};
  return conv->groups > 1 ? std::vector{whole} : cut_by_outputs(graph, id, {whole});
}

}  // namespace concertina::runtime
