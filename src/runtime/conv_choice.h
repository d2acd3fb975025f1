#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "runtime/bands.h"
#include "runtime/packed_weights.h"

namespace concertina::runtime {

/// What runs a filter in a sub-net.
enum class ConvKernel { direct, planar, grouped, winograd, bf16, int8, depthwise };

std::string_view kernel_name(ConvKernel kernel);
std::optional<ConvKernel> find_kernel(std::string_view name);

/// The filter in its first packing.
inline constexpr int kItself = -1;

/// A kernel for a packed filter.
struct ConvChoice {
  ConvKernel kernel = ConvKernel::direct;
  bool few = false;     ///< it takes PackedFilter::few
  int other = kItself;  ///< or it takes this one of PackedFilter::others

  friend bool operator==(const ConvChoice&, const ConvChoice&) = default;
};

/// True if the planar kernel is a choice where few output channels are active.
bool planar_suits(const kernels::Filter& filter, const kernels::WindowArgs& window);

/// The filter as the choice takes it.
const PackedFilter& taken_by(const ConvChoice& choice, const PackedFilter& packed);

/// Those that can run the filter for the active channels, the first by rule of thumb. Each has another
/// kernel, unless one kernel runs two of the packings.
std::vector<ConvChoice> conv_choices(const PackedFilter& packed,
                                     std::span<const kernels::ChannelRange> inputs, int out_channels);

/// Picks one of a layer's choices.
using ChooseKernel = std::function<ConvChoice(const Node& node, std::span<const ConvChoice> choices)>;

/// What decides on kernels.
struct KernelPolicy {
  ChoosePackings packings;                          ///< for all sub-nets, because the weights exist once
  std::function<ChooseKernel(int subnet)> kernels;  ///< of one of them
  BandPolicy bands = {};
};

/// The rules of thumb.
KernelPolicy default_kernels();

}  // namespace concertina::runtime
