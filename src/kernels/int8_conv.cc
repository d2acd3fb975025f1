#include "kernels/int8_conv.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "kernels/int8_chunk.h"
#include "kernels/masked_units.h"

namespace concertina::kernels {
namespace {

constexpr int kMostInput = 255;  // of any unit
constexpr float kMostWeight = 127;

std::vector<const Int8Unit*> units() {
  std::vector<const Int8Unit*> found = {avx512_vnni_unit(), avx_vnni_unit(), avx2_int8_unit(),
                                        plain_int8_unit()};
  std::erase_if(found, [](const Int8Unit* unit) {
    return unit == nullptr || (unit != plain_int8_unit() && is_masked(unit->name));
  });
  return found;
}

int panels_of(const Filter& f) {
  return round_up(f.out_channels, kChunkPanel) / kChunkPanel;
}

/// Quads of a tap.
std::ptrdiff_t rows_of(const Filter& f) {
  return round_up(f.in_channels, kQuad) / kQuad;
}

/// Of a channel's weights. Of zeros only: 1.
float scale_of(const float* weights, std::ptrdiff_t count) {
  float most = 0;
  for (std::ptrdiff_t i = 0; i < count; ++i) most = std::max(most, std::abs(weights[i]));
  const float scale = most / kMostWeight;
  return scale >= std::numeric_limits<float>::min() ? scale : 1.0F;
}

/// x / scale, rounded to the nearest of -127 .. 127, to the even one of two. In operations of which the
/// compiler makes vectors.
std::int8_t quantized(float x, float scale) {
  constexpr float kWhole = 3 << 22;  // floats around it are whole numbers, and their last bits count
  const float value = std::min(std::max(x / scale, -kMostWeight), kMostWeight);
  return static_cast<std::int8_t>(std::bit_cast<std::int32_t>(value + kWhole));
}

/// Adds the weights of some input channels, of each output channel those of each place in a quad apart.
void add_range(const std::int8_t* tap, const ChannelRange& range, std::int32_t* sums) {
  const int end = range.weight_begin + range.count;
  for (int quad = range.weight_begin / kQuad; quad * kQuad < end; ++quad) {
    const std::int8_t* const row = tap + quad * kQuadRow;
    const int first = std::max(0, range.weight_begin - quad * kQuad),
              last = std::min(kQuad, end - quad * kQuad);
    if (last - first == kQuad) {
      for (int i = 0; i < kQuadRow; ++i) sums[i] += row[i];
      continue;
    }
    for (int i = 0; i < kQuadRow; ++i) sums[i] += i % kQuad >= first && i % kQuad < last ? row[i] : 0;
  }
}

}  // namespace

std::vector<std::string> int8_units() {
  std::vector<std::string> names;
  for (const Int8Unit* unit : units()) names.emplace_back(unit->name);
  return names;
}

const Int8Unit* best_int8_unit() {
  return units().front();
}

bool can_run_int8(const Filter& f) {
  constexpr std::int64_t kMostProducts =
      std::numeric_limits<std::int32_t>::max() / (kMostInput * static_cast<int>(kMostWeight));
  return f.groups == 1 && f.taps <= kMaxChunkTaps && std::int64_t{f.in_channels} * f.taps <= kMostProducts;
}

bool prefers_int8(const Filter& f, int winograd_side) {
  constexpr int kShortSum = 64;
  const Int8Unit* const unit = best_int8_unit();
  if (unit == plain_int8_unit()) return false;
  if (f.in_channels * f.taps < kShortSum || f.out_channels < 2 * kChunkPanel) return false;
  if (unit != avx2_int8_unit()) return true;
  // AVX2 takes three instructions where VNNI takes one. So a stem gains nothing, and Winograd's algorithm
  // saves more until its weights leave the second-level cache.
  constexpr int kFewChannels = 16;
  constexpr int kSmallFilter = 128 * 128;
  return f.in_channels >= kFewChannels &&
         (winograd_side == 0 || f.in_channels * f.out_channels > kSmallFilter);
}

Int8Input int8_input(const Int8Unit& unit, float scale, int zero_point) {
  const float steps = static_cast<float>(kMostInput) / static_cast<float>(unit.most_input);
  return {.unit = &unit,
          .most = unit.most_input,
          .scale = scale * steps,
          .zero_point = static_cast<int>(std::lround(static_cast<float>(zero_point) / steps))};
}

Int8Weights::Int8Weights(const Filter& f, const float* packed)
    : scales(packed),
      panels(reinterpret_cast<const std::int8_t*>(packed + panels_of(f) * kChunkPanel)),
      rows(rows_of(f)),
      panel(rows * f.taps * kQuadRow) {}

std::size_t packed_size_int8(const Filter& f) {
  return static_cast<std::size_t>(panels_of(f)) * kChunkPanel *
         (1 + static_cast<std::size_t>(rows_of(f)) * static_cast<std::size_t>(f.taps));
}

void pack_int8(const Filter& f, const float* oihw, float* packed) {
  std::fill_n(packed, packed_size_int8(f), 0.0F);
  const Int8Weights layout(f, packed);
  auto* const panels = reinterpret_cast<std::int8_t*>(packed + panels_of(f) * kChunkPanel);
  const std::ptrdiff_t size = std::ptrdiff_t{f.in_channels} * f.taps;
  std::vector<std::int8_t> weights(static_cast<std::size_t>(size));  // of an output channel
  for (int k = 0; k < f.out_channels; ++k, oihw += size) {
    const float scale = packed[k] = scale_of(oihw, size);
    std::transform(oihw, oihw + size, weights.begin(), [=](float x) { return quantized(x, scale); });
    std::int8_t* const to = panels + k / kChunkPanel * layout.panel + k % kChunkPanel * kQuad;
    for (std::ptrdiff_t c = 0; c < f.in_channels; ++c) {
      for (std::ptrdiff_t t = 0; t < f.taps; ++t)
        to[(t * layout.rows + c / kQuad) * kQuadRow + c % kQuad] = weights[c * f.taps + t];
    }
  }
}

void int8_starts(const Filter& f, const float* packed, std::span<const ChannelRange> inputs, int out_channels,
                 int zero_point, std::int32_t* starts) {
  const Int8Weights weights(f, packed);
  std::fill_n(starts, int8_starts_size(out_channels), 0);
  for (int panel = 0; panel < panels_of(f) && panel * kChunkPanel < out_channels; ++panel) {
    std::int32_t sums[kQuadRow] = {};
    for (std::ptrdiff_t t = 0; t < f.taps; ++t) {
      const std::int8_t* const tap = weights.panels + panel * weights.panel + t * weights.rows * kQuadRow;
      for (const ChannelRange& range : inputs) add_range(tap, range, sums);
    }
    for (int i = 0; i < kQuadRow; ++i) starts[panel * kChunkPanel + i / kQuad] -= zero_point * sums[i];
  }
}

std::size_t workspace_int8(const WindowArgs& window, std::span<const ChannelRange> inputs) {
  return Int8Geometry(window, inputs).floats(window);
}

void int8_conv(const ConvArgs& args, float* workspace, ThreadPool& pool) {
  const Int8Geometry g(args.window, args.inputs);
  const std::size_t own_floats = workspace_int8(args.window, args.inputs);
  for_each_chunk(args, g, pool, [&](const Chunk& chunk, int first_pair, int last_pair, int thread) {
    run_int8_chunk(args, g, chunk, workspace + static_cast<std::size_t>(thread) * own_floats, first_pair,
                   last_pair);
  });
}

}  // namespace concertina::kernels
