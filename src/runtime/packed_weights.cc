#include "runtime/packed_weights.h"

#include "kernels/bf16_conv.h"
#include "kernels/depthwise.h"
#include "kernels/winograd.h"
#include "runtime/window_over.h"

namespace concertina::runtime {
namespace {

using kernels::Filter;

/// One filter for each segment of a depthwise convolution's input.
std::vector<PackedFilter> depthwise_filters(const Graph& graph, NodeId id, const op::Conv& conv) {
  std::vector<PackedFilter> filters;
  for (const auto& [dimension, repeat] : graph.axis(graph.node(id).inputs[0])) {
    const int channels = graph.layout().dimensions[static_cast<std::size_t>(dimension)].channels * repeat;
    const Filter filter{.groups = channels,
                        .out_channels = conv.out_channels / conv.in_channels,
                        .in_channels = 1,
                        .taps = conv.window.taps()};
    const bool simple = filter.out_channels == 1 && filter.taps <= kernels::kMaxDepthwiseTaps;
    filters.push_back({.filter = filter, .packing = simple ? Packing::kDepthwise : Packing::kDirect});
  }
  return filters;
}

std::vector<PackedFilter> filters_of(const Graph& graph, NodeId id) {
  const Op& op = graph.node(id).op;
  if (const auto* linear = std::get_if<op::Linear>(&op)) {
    return {{.filter = {.out_channels = linear->out_features, .in_channels = linear->in_features}}};
  }
  const auto* conv = std::get_if<op::Conv>(&op);
  if (conv == nullptr) return {};
  if (conv->depthwise()) return depthwise_filters(graph, id, *conv);
  const Filter filter{.groups = conv->groups,
                      .out_channels = conv->out_channels / conv->groups,
                      .in_channels = conv->in_channels / conv->groups,
                      .taps = conv->window.taps()};
  const kernels::Window window =
      window_over(conv->window, graph.shape(graph.node(id).inputs[0]), graph.shape(id));
  const bool winograd = kernels::prefers_winograd(filter, window);
  return {{.filter = filter, .window = window, .packing = winograd ? Packing::kWinograd : Packing::kDirect}};
}

bool prefers_bf16(const PackedFilter& packed) {
  return packed.packing != Packing::kDepthwise && kernels::bf16_can(packed.filter);
}

std::size_t packed_size(const PackedFilter& packed) {
  switch (packed.packing) {
    case Packing::kDirect:
      return kernels::packed_size(packed.filter);
    case Packing::kDepthwise:
      return kernels::packed_depthwise_size(packed.filter.groups, packed.filter.taps);
    case Packing::kWinograd:
      return kernels::winograd_packed_size(packed.filter);
    case Packing::kBf16:
      return kernels::bf16_packed_size(packed.filter, packed.window);
  }
  return 0;
}

void pack(const PackedFilter& packed, const float* plain, float* to) {
  switch (packed.packing) {
    case Packing::kDirect:
      return kernels::pack_conv(packed.filter, plain, to);
    case Packing::kDepthwise:
      return kernels::pack_depthwise(packed.filter.groups, packed.filter.taps, plain, to);
    case Packing::kWinograd:
      return kernels::pack_winograd(packed.filter, plain, to);
    case Packing::kBf16:
      return kernels::pack_bf16(packed.filter, packed.window, plain, to);
  }
}

/// In whole cache lines.
std::size_t packed_floats(const PackedFilter& packed) {
  constexpr std::size_t kLine = AlignedBuffer::kAlignment / sizeof(float);
  return (packed_size(packed) + kLine - 1) / kLine * kLine;
}

std::size_t plain_floats(const Filter& f) {
  return static_cast<std::size_t>(f.groups) * static_cast<std::size_t>(f.out_channels) *
         static_cast<std::size_t>(f.in_channels) * static_cast<std::size_t>(f.taps);
}

}  // namespace

PackedWeights::PackedWeights(const Network& network, Precision precision) {
  std::size_t total = 0;
  for (NodeId id = 0; id < network.graph.size(); ++id) {
    filters_.push_back(filters_of(network.graph, id));
    for (PackedFilter& filter : filters_.back()) {
      if (precision == Precision::bf16 && prefers_bf16(filter)) filter.packing = Packing::kBf16;
      filter.offset = total;
      total += packed_floats(filter);
    }
  }
  buffer_ = AlignedBuffer(total);
  for (NodeId id = 0; id < network.graph.size(); ++id) {
    if (filters(id).empty()) continue;
    const float* plain = network.weights.at(network.graph.node(id).name + ".weight").values.data();
    for (const PackedFilter& packed : filters(id)) {
      pack(packed, plain, buffer_.data() + packed.offset);
      plain += plain_floats(packed.filter);
    }
  }
}

}  // namespace concertina::runtime
