#include "kernels/training/conv_pack.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "kernels/training/conv_maps.h"

namespace concertina::kernels {
namespace {

constexpr int kPanel = kTrainingPanel;

std::uint32_t to_bf16(float value) {
  if (std::isnan(value)) return 0x7fc0;
  constexpr std::uint32_t kLargest = 0x7f7f;  // of the finite ones
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 31 << 15;
  const std::uint32_t magnitude = bits & 0x7fffffff;
  return sign | std::min(kLargest, (magnitude + 0x7fff + (magnitude >> 16 & 1)) >> 16);
}

}  // namespace

void pack_panel(const Sweep& sweep, const RunShape& shape, const SweepFilter& f, const TrainingUnit& unit,
                int panel, std::uint32_t* to) {
  std::memset(to, 0, static_cast<std::size_t>(shape.panel) * sizeof(*to));
  const int in_element = unit.bf16 ? 2 : 1;
  const bool slides = shape.taps > 1;
  PackArgs pack{.output = f.output,
                .input = f.input,
                .outputs = std::min(kPanel, f.outputs - panel * kPanel),
                .inputs = f.inputs,
                .bf16 = unit.bf16,
                .step = std::ptrdiff_t{shape.taps} * kPanel};
  for (const Run& run : sweep.runs) {
    for (std::size_t t = 0; t < run.taps.size(); ++t) {
      const auto before = static_cast<std::ptrdiff_t>(t) * f.inputs;  // inputs of the run
      pack.from = f.values + std::ptrdiff_t{panel} * kPanel * f.output + run.taps[t] * f.tap;
      pack.to = to + (slides ? static_cast<std::ptrdiff_t>(t) : before / in_element) * kPanel;
      if (slides || before % in_element == 0) {
        pack_weights(pack);
        continue;
      }
      // The first input shares its element with the tap before, the others begin anew.
      for (int k = 0; k < pack.outputs; ++k) pack.to[k] |= to_bf16(pack.from[k * f.output]) << 16;
      PackArgs rest = pack;
      rest.from += f.input;
      rest.inputs -= 1;
      rest.to += kPanel;
      pack_weights(rest);
    }
    to += std::ptrdiff_t{shape.depth} * shape.taps * kPanel;
  }
}

}  // namespace concertina::kernels
