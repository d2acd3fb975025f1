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
} kKernelNames[] = {{ConvKernel::direct, "direct"},      {ConvKernel::planar, "planar"},
                    {ConvKernel::grouped, "grouped"},    {ConvKernel::winograd, "winograd"},
                    {ConvKernel::bf16, "bf16"},          {ConvKernel::int8, "int8"},
                    {ConvKernel::depthwise, "depthwise"}};

bool lie_in(const kernels::Filter& few, std::span<const kernels::ChannelRange> inputs, int out_channels) {
  return out_channels <= few.out_channels &&
         std::all_of(inputs.begin(), inputs.end(), [&](const kernels::ChannelRange& range) {
           return range.weight_begin + range.count <= few.in_channels;
         });
}

/// Of weights that pack_conv() has packed.
void add_direct(const PackedFilter& packed, int out_channels, bool few, std::vector<ConvChoice>& to) {
  const bool can = planar_suits(packed.filter, packed.window) && out_channels <= kernels::kMaxPlanarOutputs;
  const bool prefers = can && kernels::prefers_planar(packed.window, out_channels);
  if (prefers) to.push_back({ConvKernel::planar, few});
  to.push_back({ConvKernel::direct, few});
  if (can && !prefers) to.push_back({ConvKernel::planar, few});
}

/// Without the filter's others.
std::vector<ConvChoice> choices_of_packing(const PackedFilter& packed,
                                           std::span<const kernels::ChannelRange> inputs, int out_channels) {
  int in_channels = 0;
  for (const kernels::ChannelRange& range : inputs) in_channels += range.count;
  std::vector<ConvChoice> choices;
  switch (packed.packing) {
    case Packing::grouped:
      return {{ConvKernel::grouped}};
    case Packing::depthwise:
      return {{ConvKernel::depthwise}};
    case Packing::bf16:
      return {{ConvKernel::bf16}};
    case Packing::int8:
      return {{ConvKernel::int8}};
    case Packing::direct:
      add_direct(packed, out_channels, false, choices);
      return choices;
    case Packing::winograd:
    case Packing::winograd2:
      if (lie_in(packed.few, inputs, out_channels)) add_direct(packed, out_channels, true, choices);
      const bool first = kernels::prefers_winograd(in_channels, out_channels);
      choices.insert(first ? choices.begin() : choices.end(), {ConvKernel::winograd});
      return choices;
  }
  return choices;
}

}  // namespace

std::string_view kernel_name(ConvKernel kernel) {
  return std::find_if(std::begin(kKernelNames), std::end(kKernelNames),
                      [&](const auto& known) { return known.kernel == kernel; })
      ->name;
}

std::optional<ConvKernel> find_kernel(std::string_view name) {
  for (const auto& known : kKernelNames) {
    if (known.name == name) return known.kernel;
  }
  return std::nullopt;
}

bool planar_suits(const kernels::Filter& filter, const kernels::WindowArgs& window) {
  return kernels::can_run_planar(filter) && window.out_h * window.out_w > 1;
}

const PackedFilter& taken_by(const ConvChoice& choice, const PackedFilter& packed) {
  return choice.other == kItself ? packed : packed.others[choice.other];
}

std::vector<ConvChoice> conv_choices(const PackedFilter& packed,
                                     std::span<const kernels::ChannelRange> inputs, int out_channels) {
  std::vector<ConvChoice> choices = choices_of_packing(packed, inputs, out_channels);
  for (std::size_t i = 0; i < packed.others.size(); ++i) {
    for (ConvChoice& choice : choices_of_packing(packed.others[i], inputs, out_channels)) {
      choice.other = static_cast<int>(i);
      choices.push_back(choice);
    }
  }
  return choices;
}

KernelPolicy default_kernels() {
  return {
      .packings = [](const Node&, const LayerFilter& filter) { return std::vector{filter.packings.front()}; },
      .kernels = [](int) -> ChooseKernel {
        return [](const Node&, std::span<const ConvChoice> choices) { return choices.front(); };
      }};
}

}  // namespace concertina::runtime
