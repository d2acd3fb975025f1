#include <algorithm>

#include "kernels/int8_unit.h"

namespace concertina::kernels {
namespace {

/// One pixel and one panel.
void products_of(const Int8Panels& p, const std::int16_t* input, const std::int16_t* weights,
                 const std::int32_t* starts, std::int32_t* sums) {
  std::int32_t own[kChunkPanel];
  std::copy_n(starts, kChunkPanel, own);
  for (const std::ptrdiff_t tap : p.taps) {
    const std::int16_t* at = input + tap;
    for (int pair = 0; pair < 2 * p.quads; ++pair, at += 2, weights += 2 * kChunkPanel) {
      for (int k = 0; k < kChunkPanel; ++k) own[k] += weights[2 * k] * at[0] + weights[2 * k + 1] * at[1];
    }
  }
  std::copy_n(own, kChunkPanel, sums);
}

void products(const Int8Panels& p, const void* input, int pixels, std::int32_t* sums) {
  const auto* at = static_cast<const std::int16_t*>(input);
  for (int i = 0; i < pixels; ++i, at += p.pixel, sums += 2 * kChunkPanel) {
    products_of(p, at, p.wide, p.starts, sums);
    if (p.weights2 == nullptr) continue;
    products_of(p, at, p.wide + p.wide_size(), p.starts + kChunkPanel, sums + kChunkPanel);
  }
}

constexpr Int8Unit kUnit{.name = "plain", .pixels = 8, .widens = true, .products = products};

}  // namespace

const Int8Unit* plain_int8_unit() {
  return &kUnit;
}

}  // namespace concertina::kernels
