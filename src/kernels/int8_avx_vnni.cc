#include "kernels/int8_unit.h"

#if defined(__x86_64__)
#define CONCERTINA_INT8_ATTRIBUTES "avx2,avxvnni"
#include <cpuid.h>

#include "kernels/int8_runs-inl.h"

HWY_PUSH_ATTRIBUTES("avx2,avxvnni")
namespace concertina::kernels {
namespace {

struct AvxVnni {
  static constexpr int kTogether = 3;

  static HWY_INLINE __m256i add(__m256i sums, __m256i inputs, __m256i weights) {
    return _mm256_dpbusd_avx_epi32(sums, inputs, weights);
  }
};

constexpr Int8Unit kUnit{
    .name = "AVX-VNNI", .pixels = kMaxBlockPixels, .most_input = 255, .products = products<AvxVnni>};

}  // namespace
}  // namespace concertina::kernels
HWY_POP_ATTRIBUTES

namespace concertina::kernels {
namespace {

/// The bit is that of Intel's manual, CPUID leaf 7, subleaf 1; g++ 12's __builtin_cpu_supports() does not
/// know it.
bool machine_has_avx_vnni() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned kAvxVnni = 1U << 4;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & kAvxVnni) != 0;
}

}  // namespace
}  // namespace concertina::kernels
#endif

namespace concertina::kernels {

const Int8Unit* avx_vnni_unit() {
#if defined(__x86_64__)
  static const bool usable = avx2_int8_unit() != nullptr && machine_has_avx_vnni();
  if (usable) return &kUnit;
#endif
  return nullptr;
}

}  // namespace concertina::kernels
