#include "kernels/int8_unit.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "hwy/highway.h"

HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512vl,avx512vnni")
namespace concertina::kernels {
namespace {

// 24 sums, two vectors of weights: what 32 registers hold.
constexpr int kPixels = 12;

inline __m512i broadcast(const std::uint8_t* quad) {
  int bits = 0;
  __builtin_memcpy(&bits, quad, sizeof bits);
  return _mm512_set1_epi32(bits);
}

template <int kRows, bool kTwo>
void products_of(const Int8Panels& p, const std::uint8_t* input, std::int32_t* sums) {
  __m512i first[kRows];
  __m512i second[kRows];
  for (int i = 0; i < kRows; ++i) {
    first[i] = _mm512_loadu_si512(p.starts);
    second[i] = _mm512_loadu_si512(p.starts + kChunkPanel);
  }
  for (std::size_t tap = 0; tap < p.taps.size(); ++tap) {
    const std::uint8_t* at = input + p.taps[tap];
    const std::ptrdiff_t tap_row = static_cast<std::ptrdiff_t>(tap) * p.rows;
    for (const ChannelRange& range : p.ranges) {
      const std::ptrdiff_t row = (tap_row + range.weight_begin / kQuad) * kQuadRow;
      const int quads = quads_of(range);
      for (int k = 0; k < quads; ++k) {
        const __m512i w = _mm512_loadu_si512(p.weights + row + k * kQuadRow);
        const __m512i w2 = kTwo ? _mm512_loadu_si512(p.weights2 + row + k * kQuadRow) : w;
#pragma GCC unroll 12
        for (int i = 0; i < kRows; ++i) {
          const __m512i x = broadcast(at + i * p.pixel + kQuad * k);
          first[i] = _mm512_dpbusd_epi32(first[i], x, w);
          if constexpr (kTwo) second[i] = _mm512_dpbusd_epi32(second[i], x, w2);
        }
      }
      at += quads * kQuad;
    }
  }
  for (int i = 0; i < kRows; ++i) {
    _mm512_storeu_si512(sums + i * 2 * kChunkPanel, first[i]);
    if constexpr (kTwo) _mm512_storeu_si512(sums + i * 2 * kChunkPanel + kChunkPanel, second[i]);
  }
}

template <int kRows>
void products_of(const Int8Panels& p, const std::uint8_t* input, std::int32_t* sums) {
  p.weights2 != nullptr ? products_of<kRows, true>(p, input, sums)
                        : products_of<kRows, false>(p, input, sums);
}

void products(const Int8Panels& p, const std::uint8_t* input, int pixels, std::int32_t* sums) {
  if (pixels > 8) return products_of<kPixels>(p, input, sums);
  if (pixels > 4) return products_of<8>(p, input, sums);
  if (pixels > 1) return products_of<4>(p, input, sums);
  products_of<1>(p, input, sums);
}

constexpr Int8Unit kUnit{.name = "AVX-512 VNNI", .pixels = kPixels, .most_input = 255, .products = products};

}  // namespace
}  // namespace concertina::kernels
HWY_POP_ATTRIBUTES
#endif

namespace concertina::kernels {

const Int8Unit* avx512_vnni_unit() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl")) {
    return &kUnit;
  }
#endif
  return nullptr;
}

}  // namespace concertina::kernels
