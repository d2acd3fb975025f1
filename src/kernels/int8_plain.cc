#include <algorithm>

#include "kernels/int8_unit.h"

namespace concertina::kernels {
namespace {

void products(const Int8Panels& p, const void* input, int pixels, std::int32_t* sums) {
  const auto* pixel = static_cast<const std::int16_t*>(input);
  for (int i = 0; i < pixels; ++i, pixel += p.pixel, sums += 2 * kChunkPanel) {
    std::int32_t own[kChunkPanel];
    std::copy_n(p.starts, kChunkPanel, own);
    const std::int16_t* weights = p.wide;
    for (const std::ptrdiff_t tap : p.taps) {
      const std::int16_t* at = pixel + tap;
      for (int pair = 0; pair < 2 * p.quads; ++pair, at += 2, weights += 2 * kChunkPanel) {
        for (int k = 0; k < kChunkPanel; ++k) own[k] += weights[2 * k] * at[0] + weights[2 * k + 1] * at[1];
      }
    }
    std::copy_n(own, kChunkPanel, sums);
  }
}

constexpr Int8Unit kUnit{.name = "plain", .pixels = 8, .widens = true, .products = products};

}  // namespace

const Int8Unit* plain_int8_unit() {
  return &kUnit;
}

}  // namespace concertina::kernels
