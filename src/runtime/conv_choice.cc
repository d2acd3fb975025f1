#include "runtime/conv_choice.h"

#include <algorithm>
#include <iterator>

#include "kernels/planar_conv.h"
#include "kernels/winograd.h"

namespace concertina::runtime {
namespace {

constexpr struct {
  ConvKernel kernel;
  std::string_view name;
} kNames[] = {{ConvKernel::kDirect, "direct"},   {ConvKernel::kPlanar, "planar"},
              {ConvKernel::kGrouped, "grouped"}, {ConvKernel::kWinograd, "winograd"},
              {ConvKernel::kBf16, "bf16"},       {ConvKernel::kDepthwise, "depthwise"}};

bool lie_in(const kernels::Filter& few, std::span<const kernels::ChannelRange> inputs, int out_channels) {
  return out_channels <= few.out_channels &&
         std::all_of(inputs.begin(), inputs.end(), [&](const kernels::ChannelRange& range) {
           return range.weight_begin + range.count <= few.in_channels;
         });
}

/// Of weights that pack_conv() has packed.
void add_direct(const PackedFilter& packed, int out_channels, bool few, std::vector<ConvChoice>& to) {
  const bool can = planar_suits(packed.filter, packed.window) && out_channels <= kernels::kMostPlanarOutputs;
  const bool prefers = can && kernels::prefers_planar(packed.window, out_channels);
  if (prefers) to.push_back({ConvKernel::kPlanar, few});
  to.push_back({ConvKernel::kDirect, few});
  if (can && !prefers) to.push_back({ConvKernel::kPlanar, few});
}

}  // namespace

std::string_view kernel_name(ConvKernel kernel) {
  return std::find_if(std::begin(kNames), std::end(kNames),
                      [&](const auto& known) { return known.kernel == kernel; })
      ->name;
}

std::optional<ConvKernel> find_kernel(std::string_view name) {
  for (const auto& known : kNames) {
    if (known.name == name) return known.kernel;
  }
  return std::nullopt;
}

bool planar_suits(const kernels::Filter& filter, const kernels::Window& window) {
  return kernels::planar_can(filter) && window.out_h * window.out_w > 1;
}

std::vector<ConvChoice> conv_choices(const PackedFilter& packed,
                                     std::span<const kernels::ChannelRange> inputs, int out_channels) {
  int in_channels = 0;
  for (const kernels::ChannelRange& range : inputs) in_channels += range.count;
  std::vector<ConvChoice> choices;
  switch (packed.packing) {
    case Packing::kGrouped:
      return {{ConvKernel::kGrouped}};
    case Packing::kDepthwise:
      return {{ConvKernel::kDepthwise}};
    case Packing::kBf16:
      return {{ConvKernel::kBf16}};
    case Packing::kDirect:
      add_direct(packed, out_channels, false, choices);
      return choices;
    case Packing::kWinograd:
    case Packing::kWinograd2:
      if (lie_in(packed.few, inputs, out_channels)) add_direct(packed, out_channels, true, choices);
      const bool first = kernels::winograd_pays(in_channels, out_channels);
      choices.insert(first ? choices.begin() : choices.end(), {ConvKernel::kWinograd});
      return choices;
  }
  return choices;
}

KernelPolicy default_kernels() {
  return {.packing = [](const Node&, const LayerFilter& filter) { return filter.packings.front(); },
          .kernels = [](int) -> ChooseKernel {
            return [](const Node&, std::span<const ConvChoice> choices) { return choices.front(); };
          }};
}

}  // namespace concertina::runtime
