#include "runtime/packed_weights.h"

#include <algorithm>
#include <string>
#include <unordered_map>

#include "kernels/bf16_conv.h"
#include "kernels/depthwise.h"
#include "kernels/grouped.h"
#include "kernels/int8_conv.h"
#include "kernels/layout.h"
#include "kernels/winograd.h"

namespace concertina::runtime {
namespace {

using kernels::Filter;

std::size_t packed_size(const PackedFilter& packed) {
  switch (packed.packing) {
    case Packing::direct:
      return kernels::packed_size_conv(packed.filter);
    case Packing::depthwise:
      return kernels::packed_size_depthwise(packed.filter.groups, packed.filter.taps);
    case Packing::grouped:
      return kernels::packed_size_grouped(packed.filter);
    case Packing::winograd:
    case Packing::winograd2:
      return kernels::packed_size_winograd(packed.filter, winograd_side(packed.packing));
    case Packing::bf16:
      return kernels::packed_size_bf16(packed.filter, packed.window);
    case Packing::int8:
      return kernels::packed_size_int8(packed.filter);
  }
  return 0;
}

void pack(const PackedFilter& packed, const float* plain, float* to) {
  switch (packed.packing) {
    case Packing::direct:
      return kernels::pack_conv(packed.filter, plain, to);
    case Packing::depthwise:
      return kernels::pack_depthwise(packed.filter.groups, packed.filter.taps, plain, to);
    case Packing::grouped:
      return kernels::pack_grouped(packed.filter, plain, to);
    case Packing::winograd:
    case Packing::winograd2:
      return kernels::pack_winograd(packed.filter, winograd_side(packed.packing), plain, to);
    case Packing::bf16:
      return kernels::pack_bf16(packed.filter, packed.window, plain, to);
    case Packing::int8:
      return kernels::pack_int8(packed.filter, plain, to);
  }
}

/// A panel of output channels under a vector of inputs: a small part of what a layer has that prefers
/// another kernel.
Filter few_of(const Filter& filter) {
  const int lanes = kernels::vector_lanes();
  return {.out_channels = std::min(filter.out_channels, 2 * lanes),
          .in_channels = std::min(filter.in_channels, lanes),
          .taps = filter.taps};
}

void pack_few(const PackedFilter& packed, const float* plain, float* to) {
  const Filter& few = packed.few;
  std::vector<float> values;
  for (int k = 0; k < few.out_channels; ++k) {
    const float* row = plain + static_cast<std::ptrdiff_t>(k) * packed.filter.in_channels * few.taps;
    values.insert(values.end(), row, row + static_cast<std::ptrdiff_t>(few.in_channels) * few.taps);
  }
  kernels::pack_conv(few, values.data(), to);
}

/// Some taps of each channel's window.
std::vector<float> some_taps(const LayerFilter& layer, const float* plain) {
  std::vector<float> values;
  const std::ptrdiff_t windows = std::ptrdiff_t{layer.filter.out_channels} * layer.filter.in_channels;
  for (std::ptrdiff_t i = 0; i < windows; ++i, plain += layer.layer_taps) {
    for (const int tap : layer.taps) values.push_back(plain[tap]);
  }
  return values;
}

/// Whether a layer can read what another packs of the same array. The bf16 kernel's form depends on the map.
bool is_packed_alike(const PackedFilter& a, const PackedFilter& b) {
  return a.packing == b.packing && a.packing != Packing::bf16 && a.filter.groups == b.filter.groups &&
         a.taps == b.taps &&
         std::equal(a.others.begin(), a.others.end(), b.others.begin(), b.others.end(), is_packed_alike);
}

/// In memory from float `total` on, which then is behind it.
PackedFilter placed(const LayerFilter& layer, Packing packing, std::size_t& total) {
  PackedFilter filter{layer, packing, total};
  total += in_lines(packed_size(filter));
  if (winograd_side(packing) == 0) return filter;
  filter.few = few_of(filter.filter);
  filter.few_offset = total;
  total += in_lines(kernels::packed_size_conv(filter.few));
  return filter;
}

/// Makes a filter lie where another one does. Precondition: they are packed alike.
void place_at(const PackedFilter& other, PackedFilter& filter) {
  filter.offset = other.offset;
  filter.few_offset = other.few_offset;
  for (std::size_t i = 0; i < filter.others.size(); ++i) place_at(other.others[i], filter.others[i]);
}

/// plain: of the filter.
void pack_all(const PackedFilter& packed, const float* plain, float* buffer) {
  pack(packed, plain, buffer + packed.offset);
  if (packed.few.out_channels > 0) pack_few(packed, plain, buffer + packed.few_offset);
  for (const PackedFilter& other : packed.others) pack_all(other, plain, buffer);
}

}  // namespace

PackedWeights::PackedWeights(const Network& network, Precision precision,
                             const std::function<bool(NodeId)>& calibrated, const ChoosePackings& choose) {
  std::size_t total = 0;
  std::unordered_map<std::string, std::string> owners;  // by array, the first layer that has it
  for (NodeId id = 0; id < network.graph.size(); ++id) {
    const Node& node = network.graph.node(id);
    const std::size_t begin = total;
    std::vector<PackedFilter>& mine = filters_[node.name];
    for (const LayerFilter& layer : layer_filters(network.graph, id, precision, calibrated(id))) {
      const std::vector<Packing> packings = choose(node, layer);
      PackedFilter& filter = mine.emplace_back(placed(layer, packings.front(), total));
      for (std::size_t i = 1; i < packings.size(); ++i)
        filter.others.push_back(placed(layer, packings[i], total));
    }
    const std::string& owner = owners.try_emplace(parameter_name(node, "weight"), node.name).first->second;
    const std::vector<PackedFilter>& its = filters_[owner];
    if (owner == node.name || !std::equal(mine.begin(), mine.end(), its.begin(), its.end(), is_packed_alike))
      continue;
    total = begin;
    for (std::size_t i = 0; i < mine.size(); ++i) place_at(its[i], mine[i]);
  }
  buffer_ = AlignedBuffer(total);
  for (NodeId id = 0; id < network.graph.size(); ++id) {
    const Node& node = network.graph.node(id);
    if (filters(node).empty()) continue;
    const float* plain = network.weights.at(parameter_name(node, "weight")).values.data();
    for (const PackedFilter& packed : filters(node)) {
      const float* own = plain + packed.begin;
      const std::vector<float> some = packed.taps.empty() ? std::vector<float>() : some_taps(packed, own);
      pack_all(packed, some.empty() ? own : some.data(), buffer_.data());
    }
  }
}

std::size_t packed_bytes(const LayerFilter& filter, Packing packing) {
  std::size_t floats = 0;
  placed(filter, packing, floats);
  return floats * sizeof(float);
}

std::span<const PackedFilter> PackedWeights::filters(const Node& node) const {
  const auto found = filters_.find(node.name);
  return found == filters_.end() ? std::span<const PackedFilter>() : found->second;
}

}  // namespace concertina::runtime
