#include <algorithm>

#include "kernels/int8_unit.h"

namespace concertina::kernels {
namespace {

void add_panel(const Int8Panels& p, const std::uint8_t* pixel, const std::int8_t* weights,
               std::int32_t* sums) {
  for (std::size_t tap = 0; tap < p.taps.size(); ++tap) {
    const std::uint8_t* at = pixel + p.taps[tap];
    for (const ChannelRange& range : p.ranges) {
      const std::int8_t* row =
          weights + (static_cast<std::ptrdiff_t>(tap) * p.rows + range.weight_begin / kQuad) * kQuadRow;
      for (int quad = 0; quad < quads_of(range); ++quad, at += kQuad, row += kQuadRow) {
        for (int i = 0; i < kQuadRow; ++i) sums[i / kQuad] += row[i] * at[i % kQuad];
      }
    }
  }
}

void products(const Int8Panels& p, const std::uint8_t* input, int pixels, std::int32_t* sums) {
  for (int i = 0; i < pixels; ++i, input += p.pixel, sums += 2 * kChunkPanel) {
    std::copy_n(p.starts, 2 * kChunkPanel, sums);
    add_panel(p, input, p.weights, sums);
    if (p.weights2 != nullptr) add_panel(p, input, p.weights2, sums + kChunkPanel);
  }
}

constexpr Int8Unit kUnit{.name = "plain", .pixels = 8, .most_input = 255, .products = products};

}  // namespace

const Int8Unit* plain_int8_unit() {
  return &kUnit;
}

}  // namespace concertina::kernels
