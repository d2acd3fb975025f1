#include "kernels/int8_unit.h"

#if defined(__x86_64__)
#define CONCERTINA_INT8_ATTRIBUTES "avx2"
#include "kernels/int8_runs-inl.h"

HWY_PUSH_ATTRIBUTES("avx2")
namespace concertina::kernels {
namespace {

struct Avx2 {
  static constexpr int kTogether = 2;

  /// VPMADDUBSW has 16 bits for two products, which inputs of 7 bits never exceed.
  static HWY_INLINE __m256i add(__m256i sums, __m256i inputs, __m256i weights) {
    const __m256i pairs = _mm256_maddubs_epi16(inputs, weights);
    return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
};

constexpr Int8Unit kUnit{
    .name = "AVX2", .pixels = kMaxBlockPixels, .most_input = 127, .products = products<Avx2>};

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
