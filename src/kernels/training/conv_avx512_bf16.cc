#include "kernels/bf16_unit.h"
#include "kernels/training/conv_unit.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <utility>

#include "hwy/highway.h"

HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512vl,avx512bf16")
namespace concertina::kernels {
namespace {

// With two panels 24 sums, and six vectors of weights: what 32 registers hold.
constexpr int kPixels = 16, kPixelsOfTwo = 12;
constexpr int kPanel = kTrainingPanel;

inline __m512bh load(const std::uint32_t* elements) {
  return (__m512bh)_mm512_loadu_si512(elements);
}

inline __m512bh broadcast(const void* pair) {
  int bits = 0;
  __builtin_memcpy(&bits, pair, sizeof bits);
  return (__m512bh)_mm512_set1_epi32(bits);
}

// A panel, half of one, and none: half of one costs half as much.
struct Whole {
  using Sums = __m512;
  using Weights = __m512bh;
  static Sums zero() { return _mm512_setzero_ps(); }
  static Weights weights(const std::uint32_t* w) { return load(w); }
  static Sums add(Sums sums, Weights w, __m512bh x) { return _mm512_dpbf16_ps(sums, w, x); }
  static void store(Sums sums, float* to) { _mm512_storeu_ps(to, sums); }
};
struct Half {
  using Sums = __m256;
  using Weights = __m256bh;
  static Sums zero() { return _mm256_setzero_ps(); }
  static Weights weights(const std::uint32_t* w) {
    return (__m256bh)_mm256_loadu_si256(reinterpret_cast<const __m256i*>(w));
  }
  static Sums add(Sums sums, Weights w, __m512bh x) {
    __m256bh low;
    __builtin_memcpy(&low, &x, sizeof low);
    return _mm256_dpbf16_ps(sums, w, low);
  }
  static void store(Sums sums, float* to) { _mm256_storeu_ps(to, sums); }
};
struct None {
  struct Sums {};
  struct Weights {};
  static Sums zero() { return {}; }
  static Weights weights(const std::uint32_t*) { return {}; }
  static Sums add(Sums, Weights, __m512bh) { return {}; }
  static void store(Sums, float*) {}
};

/// kRows pixels. With three taps, each input is read once for the three pixels that see it.
template <int kRows, int kTaps, class First, class Second>
void products_of(const PanelProducts& p, const std::uint16_t* x, float* sums) {
  typename First::Sums first[kRows];
  typename Second::Sums second[kRows];
  for (int i = 0; i < kRows; ++i) {
    first[i] = First::zero();
    second[i] = Second::zero();
  }
  const auto* w = static_cast<const std::uint32_t*>(p.weights);
  const auto* w2 = static_cast<const std::uint32_t*>(p.weights2 != nullptr ? p.weights2 : p.weights);
  for (const std::ptrdiff_t run : p.runs) {
    const std::uint16_t* at = x + run;
    for (int d = 0; d < p.depth; ++d, at += 2, w += kTaps * kPanel, w2 += kTaps * kPanel) {
      typename First::Weights a[kTaps];
      typename Second::Weights b[kTaps];
      for (int tap = 0; tap < kTaps; ++tap) {
        a[tap] = First::weights(w + tap * kPanel);
        b[tap] = Second::weights(w2 + tap * kPanel);
      }
#pragma GCC unroll 18
      for (int i = 0; i < kRows + kTaps - 1; ++i) {
        const __m512bh v = broadcast(at + i * p.pixel);
#pragma GCC unroll 3
        for (int tap = 0; tap < kTaps; ++tap) {
          const int row = i - tap;
          if (row < 0 || row >= kRows) continue;
          first[row] = First::add(first[row], a[tap], v);
          second[row] = Second::add(second[row], b[tap], v);
        }
      }
    }
  }
  for (int i = 0; i < kRows; ++i) {
    First::store(first[i], sums + i * 2 * kPanel);
    Second::store(second[i], sums + i * 2 * kPanel + kPanel);
  }
}

template <class First, class Second, int... kSizes>
void run(const PanelProducts& p, const std::uint16_t* x, int pixels, float* sums,
         std::integer_sequence<int, kSizes...>) {
  using Products = void (*)(const PanelProducts&, const std::uint16_t*, float*);
  constexpr Products kPlain[] = {products_of<kSizes + 1, 1, First, Second>...};
  constexpr Products kSliding[] = {products_of<kSizes + 1, 3, First, Second>...};
  (p.taps == 3 ? kSliding : kPlain)[pixels - 1](p, x, sums);
}

void products(const PanelProducts& p, const void* x, int pixels, float* sums) {
  const auto* at = static_cast<const std::uint16_t*>(x);
  constexpr auto kAlone = std::make_integer_sequence<int, kPixels>{};
  constexpr auto kBoth = std::make_integer_sequence<int, kPixelsOfTwo>{};
  const bool half = p.last_outputs <= kPanel / 2;
  if (p.weights2 == nullptr) {
    half ? run<Half, None>(p, at, pixels, sums, kAlone) : run<Whole, None>(p, at, pixels, sums, kAlone);
  } else {
    half ? run<Whole, Half>(p, at, pixels, sums, kBoth) : run<Whole, Whole>(p, at, pixels, sums, kBoth);
  }
}

/// kChannels of dy under kVectors of x.
template <int kChannels, int kVectors>
void outer_of(const OuterProducts& o, int channel, int input) {
  __m512 sums[kChannels][kVectors];
  float* const to = o.sums + channel * o.sums_row + input;
  for (int k = 0; k < kChannels; ++k) {
    for (int v = 0; v < kVectors; ++v) sums[k][v] = _mm512_loadu_ps(to + k * o.sums_row + v * 16);
  }
  const auto* x_image = static_cast<const std::uint32_t*>(o.x) + input;
  const auto* dy_image = static_cast<const std::uint32_t*>(o.dy) + channel * o.dy_channel;
  for (int n = 0; n < o.images; ++n, x_image += o.x_image, dy_image += o.dy_image) {
    const std::uint32_t* x_row = x_image;
    const std::uint32_t* dy_row = dy_image;
    for (int y = 0; y < o.rows; ++y, x_row += o.x_row, dy_row += o.dy_row) {
      const std::uint32_t* x = x_row;
      const std::uint32_t* dy = dy_row;
      for (int c = 0; c < o.columns; ++c, x += o.x_column, dy += o.dy_column) {
        __m512bh a[kVectors];
        for (int v = 0; v < kVectors; ++v) a[v] = load(x + v * 16);
#pragma GCC unroll 8
        for (int k = 0; k < kChannels; ++k) {
          const __m512bh b = broadcast(dy + k * o.dy_channel);
          for (int v = 0; v < kVectors; ++v) sums[k][v] = _mm512_dpbf16_ps(sums[k][v], a[v], b);
        }
      }
    }
  }
  for (int k = 0; k < kChannels; ++k) {
    for (int v = 0; v < kVectors; ++v) _mm512_storeu_ps(to + k * o.sums_row + v * 16, sums[k][v]);
  }
}

template <int kVectors>
void outer_of(const OuterProducts& o, int input) {
  int k = 0;
  for (; k + 8 <= o.channels; k += 8) outer_of<8, kVectors>(o, k, input);
  if (k + 4 <= o.channels) outer_of<4, kVectors>(o, std::exchange(k, k + 4), input);
  if (k + 2 <= o.channels) outer_of<2, kVectors>(o, std::exchange(k, k + 2), input);
  if (k < o.channels) outer_of<1, kVectors>(o, k, input);
}

void outer(const OuterProducts& o) {
  const int vectors = (o.inputs + 15) / 16;
  int v = 0;
  // Two of two are better than three and one.
  for (; vectors - v >= 3 && vectors - v != 4; v += 3) outer_of<3>(o, v * 16);
  for (; vectors - v >= 2; v += 2) outer_of<2>(o, v * 16);
  if (v < vectors) outer_of<1>(o, v * 16);
}

void nothing() {}

constexpr TrainingUnit kUnit{.name = "AVX-512 BF16",
                             .bf16 = true,
                             .pixels = kPixels,
                             .pixels_of_two = kPixelsOfTwo,
                             .slides = true,
                             .depth = 2,
                             .least_columns = 8,
                             .begin = nothing,
                             .end = nothing,
                             .products = products,
                             .outer = outer};

}  // namespace
}  // namespace concertina::kernels
HWY_POP_ATTRIBUTES
#endif

namespace concertina::kernels {

const TrainingUnit* training_avx512_bf16_unit() {
#if defined(__x86_64__)
  if (avx512_bf16_unit() != nullptr) return &kUnit;
#endif
  return nullptr;
}

}  // namespace concertina::kernels
