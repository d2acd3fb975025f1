#include "kernels/int8_unit.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "hwy/highway.h"

HWY_PUSH_ATTRIBUTES("avx2")
namespace concertina::kernels {
namespace {

// VPMADDUBSW would saturate: it has 16 bits for 2 * 255 * 127. VPMADDWD is exact.
//
// 12 sums, two vectors of weights, one of inputs and one of products: what 16 registers hold.
constexpr int kPixels = 6;

inline __m256i broadcast(const std::int16_t* pair) {
  int bits = 0;
  __builtin_memcpy(&bits, pair, sizeof bits);
  return _mm256_set1_epi32(bits);
}

inline __m256i load(const void* from) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}

template <int kRows>
void products_of(const Int8Panels& p, const void* inputs, std::int32_t* sums) {
  const auto* input = static_cast<const std::int16_t*>(inputs);
  const std::int16_t* weights = p.wide;
  __m256i first[kRows];
  __m256i second[kRows];
  for (int i = 0; i < kRows; ++i) {
    first[i] = load(p.starts);
    second[i] = load(p.starts + kChunkPanel / 2);
  }
  for (const std::ptrdiff_t tap : p.taps) {
    const std::int16_t* at = input + tap;
    for (int pair = 0; pair < 2 * p.quads; ++pair, at += 2, weights += 2 * kChunkPanel) {
      const __m256i w = load(weights);
      const __m256i w2 = load(weights + kChunkPanel);
#pragma GCC unroll 6
      for (int i = 0; i < kRows; ++i) {
        const __m256i x = broadcast(at + i * p.pixel);
        first[i] = _mm256_add_epi32(first[i], _mm256_madd_epi16(x, w));
        second[i] = _mm256_add_epi32(second[i], _mm256_madd_epi16(x, w2));
      }
    }
  }
  for (int i = 0; i < kRows; ++i, sums += 2 * kChunkPanel) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums), first[i]);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + kChunkPanel / 2), second[i]);
  }
}

void products(const Int8Panels& p, const void* input, int pixels, std::int32_t* sums) {
  if (pixels > 3) return products_of<kPixels>(p, input, sums);
  if (pixels > 1) return products_of<3>(p, input, sums);
  products_of<1>(p, input, sums);
}

constexpr Int8Unit kUnit{.name = "AVX2", .pixels = kPixels, .widens = true, .products = products};

}  // namespace
}  // namespace concertina::kernels
HWY_POP_ATTRIBUTES
#endif

namespace concertina::kernels {

const Int8Unit* avx2_int8_unit() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return &kUnit;
#endif
  return nullptr;
}

}  // namespace concertina::kernels
