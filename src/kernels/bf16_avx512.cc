#include "kernels/bf16_unit.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "hwy/highway.h"

HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512vl,avx512bf16")
namespace concertina::kernels {
namespace {

// 24 sums, two vectors of weights: what 32 registers hold.
constexpr int kPixels = 12;

inline __m512bh load_weights(const std::uint32_t* weights) {
  return (__m512bh)_mm512_loadu_si512(weights);
}

inline __m512bh broadcast(const std::uint16_t* pair) {
  int bits = 0;
  __builtin_memcpy(&bits, pair, sizeof bits);
  return (__m512bh)_mm512_set1_epi32(bits);
}

template <int kRows, bool kTwo>
void products_of(const Bf16Panels& p, const std::uint16_t* input, float* sums) {
  __m512 first[kRows];
  __m512 second[kRows];
  for (int i = 0; i < kRows; ++i) first[i] = second[i] = _mm512_setzero_ps();
  for (std::size_t tap = 0; tap < p.taps.size(); ++tap) {
    const std::uint16_t* at = input + p.taps[tap];
    const std::ptrdiff_t tap_row = static_cast<std::ptrdiff_t>(tap) * p.rows;
    for (const ChannelRange& range : p.ranges) {
      const std::ptrdiff_t row = (tap_row + range.weight_begin / 2) * kBf16Panel;
      const int pairs = (range.weight_begin % 2 + range.count + 1) / 2;
      for (int k = 0; k < pairs; ++k) {
        const __m512bh w = load_weights(p.weights + row + k * kBf16Panel);
        const __m512bh w2 = kTwo ? load_weights(p.weights2 + row + k * kBf16Panel) : w;
#pragma GCC unroll 12
        for (int i = 0; i < kRows; ++i) {
          const __m512bh x = broadcast(at + i * p.pixel + 2 * k);
          first[i] = _mm512_dpbf16_ps(first[i], w, x);
          if constexpr (kTwo) second[i] = _mm512_dpbf16_ps(second[i], w2, x);
        }
      }
      at += blocks_of(range) * kBf16Channels;
    }
  }
  for (int i = 0; i < kRows; ++i) {
    _mm512_storeu_ps(sums + i * 2 * kBf16Panel, first[i]);
    if constexpr (kTwo) _mm512_storeu_ps(sums + i * 2 * kBf16Panel + kBf16Panel, second[i]);
  }
}

template <int kRows>
void products_of(const Bf16Panels& p, const std::uint16_t* input, float* sums) {
  p.weights2 != nullptr ? products_of<kRows, true>(p, input, sums)
                        : products_of<kRows, false>(p, input, sums);
}

void products(const Bf16Panels& p, const std::uint16_t* input, int pixels, float* sums) {
  if (pixels > 8) return products_of<kPixels>(p, input, sums);
  if (pixels > 4) return products_of<8>(p, input, sums);
  if (pixels > 1) return products_of<4>(p, input, sums);
  products_of<1>(p, input, sums);
}

void nothing() {}

constexpr Bf16Unit kUnit{
    .name = "AVX-512 BF16", .pixels = kPixels, .begin = nothing, .end = nothing, .products = products};

}  // namespace
}  // namespace concertina::kernels
HWY_POP_ATTRIBUTES
#endif

namespace concertina::kernels {

const Bf16Unit* avx512_bf16_unit() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl")) {
    return &kUnit;
  }
#endif
  return nullptr;
}

}  // namespace concertina::kernels
