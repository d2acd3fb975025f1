#include "runtime/packed_weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "kernels/bf16_conv.h"
#include "kernels/depthwise.h"
#include "kernels/grouped.h"
#include "kernels/int8_conv.h"
#include "kernels/layout.h"
#include "kernels/winograd.h"
#include "onnx/checksum.h"

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

void pack_filter(const PackedFilter& packed, const float* plain, float* to) {
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
  pack_filter(packed, plain, buffer + packed.offset);
  if (packed.few.out_channels > 0) pack_few(packed, plain, buffer + packed.few_offset);
  for (const PackedFilter& other : packed.others) pack_all(other, plain, buffer);
}

std::string to_text(const Filter& f) {
  return fmt::format("{}x{}x{}x{}", f.groups, f.out_channels, f.in_channels, f.taps);
}

/// What the bf16 kernel's form depends on.
std::string to_text(const kernels::WindowArgs& w) {
  return fmt::format("{}x{}", w.kernel_h, w.kernel_w);
}

std::string to_text(const PackedFilter& f) {
  std::string text =
      fmt::format("{} {} at {} and {} of {} with {} from {} taps {} of {}", packing_name(f.packing),
                  to_text(f.filter), f.offset, f.few_offset, to_text(f.few), to_text(f.window), f.begin,
                  fmt::join(f.taps, ","), f.layer_taps);
  for (const PackedFilter& other : f.others) text += ", " + to_text(other);
  return text;
}

}  // namespace

PackedWeights::PackedWeights(const Graph& graph, Precision precision,
                             const std::function<bool(NodeId)>& calibrated, const ChoosePackings& choose) {
  std::size_t& total = floats_;
  std::unordered_map<std::string, std::string> owners;  // by array, the first layer that has it
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    const std::size_t begin = total;
    std::vector<PackedFilter>& mine = filters_[node.name];
    for (const LayerFilter& layer : layer_filters(graph, id, precision, calibrated(id))) {
      const std::vector<Packing> packings = choose(node, layer);
      PackedFilter& filter = mine.emplace_back(placed(layer, packings.front(), total));
      for (std::size_t i = 1; i < packings.size(); ++i)
        filter.others.push_back(placed(layer, packings[i], total));
    }
    if (!mine.empty()) arrays_.insert(parameter_name(node, "weight"));
    const std::string& owner = owners.try_emplace(parameter_name(node, "weight"), node.name).first->second;
    const std::vector<PackedFilter>& its = filters_[owner];
    if (owner == node.name || !std::equal(mine.begin(), mine.end(), its.begin(), its.end(), is_packed_alike))
      continue;
    total = begin;
    for (std::size_t i = 0; i < mine.size(); ++i) place_at(its[i], mine[i]);
  }
}

void PackedWeights::pack(const Network& network) {
  buffer_ = AlignedBuffer(floats_);
  for (NodeId id = 0; id < network.graph.size(); ++id) {
    const Node& node = network.graph.node(id);
    if (filters(node).empty()) continue;
    const float* plain = network.weights.at(parameter_name(node, "weight")).values.data();
    for (const PackedFilter& packed : filters(node)) {
      const float* own = plain + packed.begin;
      const std::vector<float> some = packed.taps.empty() ? std::vector<float>() : some_taps(packed, own);
      pack_all(packed, some.empty() ? own : some.data(), buffer_.data());
      ++filters_packed_;
    }
  }
}

std::size_t packed_bytes(const LayerFilter& filter, Packing packing) {
  std::size_t floats = 0;
  placed(filter, packing, floats);
  return floats * sizeof(float);
}

void PackedWeights::take(KeptFile file) {
  file_ = std::move(file);
}

std::string PackedWeights::layout() const {
  const std::map<std::string_view, std::span<const PackedFilter>> in_order(filters_.begin(), filters_.end());
  std::string text;
  for (const auto& [node, filters] : in_order) {
    for (const PackedFilter& filter : filters) text += fmt::format("{} {}\n", node, to_text(filter));
  }
  for (const std::string& array : arrays_) text += array + "\n";
  return onnx::checksum(text);
}

std::string packing_fingerprint() {
  std::string sums;
  const auto add = [&](int in_channels, int side) {
    PackedFilter sample;
    // Several panels of every vector, and no whole number of them.
    sample.filter = {.out_channels = 72, .in_channels = in_channels, .taps = side * side};
    sample.window = {.out_h = 8, .out_w = 8, .kernel_h = side, .kernel_w = side};
    std::vector<float> values(sample.filter.floats());
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>(static_cast<int>(i * 7919 % 1009) - 504) / 504;
    for (const Packing packing : all_packings()) {
      if (winograd_side(packing) > 0 && side != 3) continue;
      sample.packing = packing;
      sample.filter.groups = packing == Packing::depthwise ? 72 : 1;
      AlignedBuffer packed(packed_size(sample));
      pack_filter(sample, values.data(), packed.data());
      sums += onnx::checksum({reinterpret_cast<const char*>(packed.data()), packed.size() * sizeof(float)});
    }
  };
  add(20, 3);
  add(3, 3);
  add(20, 1);
  return onnx::checksum(sums);
}

std::span<const PackedFilter> PackedWeights::filters(const Node& node) const {
  const auto found = filters_.find(node.name);
  return found == filters_.end() ? std::span<const PackedFilter>() : found->second;
}

}  // namespace concertina::runtime
