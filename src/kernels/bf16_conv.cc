#include "kernels/bf16_conv.h"

#include <algorithm>
#include <bit>
#include <cstdint>

#include "kernels/bf16_chunk.h"
#include "kernels/layout.h"
#include "kernels/masked_units.h"

namespace concertina::kernels {
namespace {

/// Best first.
std::vector<const Bf16Unit*> units() {
  std::vector<const Bf16Unit*> found = {amx_unit(), avx512_bf16_unit()};
  std::erase_if(found, [](const Bf16Unit* unit) { return unit == nullptr || is_masked(unit->name); });
  if (vector_lanes() != 16) found.clear();
  return found;
}

std::uint32_t to_bf16(float value) {
  constexpr std::uint32_t kLargest = 0x7f7f;  // of the finite ones
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 31 << 15;
  const std::uint32_t magnitude = bits & 0x7fffffff;
  return sign | std::min(kLargest, (magnitude + 0x7fff + (magnitude >> 16 & 1)) >> 16);
}

}  // namespace

std::vector<std::string> bf16_units() {
  std::vector<std::string> names;
  for (const Bf16Unit* unit : units()) names.emplace_back(unit->name);
  return names;
}

const Bf16Unit* best_bf16_unit() {
  const std::vector<const Bf16Unit*> found = units();
  return found.empty() ? nullptr : found.front();
}

bool can_run_bf16(const Filter& filter) {
  return filter.groups == 1 && filter.taps <= kMaxChunkTaps;
}

// AMX multiplies fifteen times as fast as fp32, and pays nearly everywhere. AVX-512 BF16 multiplies twice as
// fast at best: less than Winograd's algorithm saves, and in short sums less than rounding the inputs costs.
bool prefers_bf16(const Filter& filter, int winograd_side) {
  constexpr int kShortSum = 128;
  if (best_bf16_unit() == amx_unit()) return true;
  if (filter.in_channels * filter.taps < kShortSum || filter.out_channels < 64) return false;
  return winograd_side == 0 || (winograd_side == 2 && filter.in_channels >= kShortSum);
}

std::size_t packed_size_bf16(const Filter& f, const WindowArgs& w) {
  // Whole blocks that begin at a range's first channel may end behind the last row of the last tap.
  constexpr std::size_t kSpare = std::size_t{kBf16Channels} / 2 * kBf16Panel;
  const Bf16Depth depth(f, w);
  return static_cast<std::size_t>(round_up(f.out_channels, kBf16Panel)) *
             static_cast<std::size_t>(depth.taps) * static_cast<std::size_t>(depth.pair_rows()) +
         kSpare;
}

void pack_bf16(const Filter& f, const WindowArgs& w, const float* oihw, float* packed) {
  std::fill_n(packed, packed_size_bf16(f, w), 0.0F);
  const Bf16Depth depth(f, w);
  const int merged = f.taps / depth.taps;
  const std::ptrdiff_t taps = f.taps;
  for (int k = 0; k < f.out_channels; ++k) {
    const float* from = oihw + static_cast<std::ptrdiff_t>(k) * f.in_channels * taps;
    float* const to = packed + k / kBf16Panel * depth.taps * depth.pair_rows() * kBf16Panel + k % kBf16Panel;
    for (std::ptrdiff_t t = 0; t < taps; ++t) {
      const std::ptrdiff_t row = t / merged * depth.pair_rows() + t % merged * round_up(f.in_channels, 2) / 2;
      for (int c = 0; c < f.in_channels; c += 2) {
        const std::uint32_t low = to_bf16(from[c * taps + t]);
        const std::uint32_t high = c + 1 < f.in_channels ? to_bf16(from[(c + 1) * taps + t]) : 0;
        to[(row + c / 2) * kBf16Panel] = std::bit_cast<float>(high << 16 | low);
      }
    }
  }
}

std::size_t workspace_bf16(const Filter& filter, const WindowArgs& window,
                           std::span<const ChannelRange> inputs) {
  return static_cast<std::size_t>(Bf16Geometry(filter, window, inputs).elements(window, kBf16Channels)) / 2;
}

void bf16_conv(const ConvArgs& args, float* workspace, ThreadPool& pool) {
  const Bf16Geometry g(args.filter, args.window, args.inputs);
  const std::size_t own_floats = workspace_bf16(args.filter, args.window, args.inputs);
  for_each_chunk(args, g, pool, [&](const Chunk& chunk, int first_pair, int last_pair, int thread) {
    auto* own = reinterpret_cast<std::uint16_t*>(workspace + static_cast<std::size_t>(thread) * own_floats);
    run_bf16_chunk(args, g, chunk, own, first_pair, last_pair);
  });
}

}  // namespace concertina::kernels
