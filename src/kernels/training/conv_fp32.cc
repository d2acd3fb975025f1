#include <algorithm>
#include <type_traits>
#include <utility>

#include "kernels/training/conv_unit.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/training/conv_fp32.cc"
// clang-format off
#include "hwy/foreach_target.h"  // must come before the rest
#include "hwy/highway.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
constexpr hn::CappedTag<float, kTrainingPanel> kTag;
using V = hn::Vec<decltype(kTag)>;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(kTag));
constexpr int kVectors = kTrainingPanel / kLanes;  // of a panel

// As many sums as leave registers for the weights and an input.
#if HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_NEON
constexpr int kRegisters = 32;
#else
constexpr int kRegisters = 16;
#endif
constexpr bool kTwoPanels = kVectors == 1;
constexpr bool kSlides = kRegisters / kVectors >= 8;

/// Pixels of a block, under so many vectors of weights.
constexpr int pixels_under(int vectors) {
  return std::clamp((kRegisters - 1 - (kSlides ? 3 : 1) * vectors) / vectors, 1, 16);
}
constexpr int kPixels = pixels_under(kVectors), kPixelsOfTwo = pixels_under(kTwoPanels ? 2 : kVectors);

// Vectors of weights side by side: those of a panel, half of them, and none. Half a panel costs half as much.
template <int kLanesOfOne, int kCount>
struct Vectors {
  static constexpr hn::CappedTag<float, kLanesOfOne> kOne{};
  hn::Vec<hn::CappedTag<float, kLanesOfOne>> of[kCount];

  HWY_INLINE static Vectors zero() {
    Vectors all;
    for (int v = 0; v < kCount; ++v) all.of[v] = hn::Zero(kOne);
    return all;
  }
  HWY_INLINE static Vectors weights(const float* w) {
    Vectors all;
    for (int v = 0; v < kCount; ++v) all.of[v] = hn::LoadU(kOne, w + v * kLanesOfOne);
    return all;
  }
  HWY_INLINE void add(const Vectors& w, float x) {
    const auto b = hn::Set(kOne, x);
    for (int v = 0; v < kCount; ++v) of[v] = hn::MulAdd(w.of[v], b, of[v]);
  }
  HWY_INLINE void store(float* to) const {
    for (int v = 0; v < kCount; ++v) hn::StoreU(of[v], kOne, to + v * kLanesOfOne);
  }
};
struct NoVectors {
  HWY_INLINE static NoVectors zero() { return {}; }
  HWY_INLINE static NoVectors weights(const float*) { return {}; }
  HWY_INLINE void add(const NoVectors&, float) {}
  HWY_INLINE void store(float*) const {}
};
using Whole = Vectors<kLanes, kVectors>;
using Half = std::conditional_t<kLanes == kTrainingPanel, Vectors<kTrainingPanel / 2, 1>,
                                Vectors<kLanes, std::max(1, kVectors / 2)>>;

/// kRows pixels. With three taps, each input is read once for the three pixels that see it.
template <int kRows, int kTaps, class First, class Second>
void products_of(const PanelProducts& p, const float* x, float* sums) {
  First first[kRows];
  Second second[kRows];
  for (int i = 0; i < kRows; ++i) {
    first[i] = First::zero();
    second[i] = Second::zero();
  }
  constexpr int kStep = kTaps * kTrainingPanel;
  const auto* w = static_cast<const float*>(p.weights);
  const auto* w2 = static_cast<const float*>(p.weights2 != nullptr ? p.weights2 : p.weights);
  for (const std::ptrdiff_t run : p.runs) {
    const float* at = x + run;
    for (int d = 0; d < p.depth; ++d, ++at, w += kStep, w2 += kStep) {
      First a[kTaps];
      Second b[kTaps];
      for (int tap = 0; tap < kTaps; ++tap) {
        a[tap] = First::weights(w + tap * kTrainingPanel);
        b[tap] = Second::weights(w2 + tap * kTrainingPanel);
      }
#pragma GCC unroll 18
      for (int i = 0; i < kRows + kTaps - 1; ++i) {
        const float v = at[i * p.pixel];
#pragma GCC unroll 3
        for (int tap = 0; tap < kTaps; ++tap) {
          const int row = i - tap;
          if (row < 0 || row >= kRows) continue;
          first[row].add(a[tap], v);
          second[row].add(b[tap], v);
        }
      }
    }
  }
  for (int i = 0; i < kRows; ++i) {
    first[i].store(sums + i * 2 * kTrainingPanel);
    second[i].store(sums + i * 2 * kTrainingPanel + kTrainingPanel);
  }
}

template <class First, class Second, int... kSizes>
void run(const PanelProducts& p, const float* x, int pixels, float* sums,
         std::integer_sequence<int, kSizes...>) {
  using Products = void (*)(const PanelProducts&, const float*, float*);
  constexpr Products kPlain[] = {products_of<kSizes + 1, 1, First, Second>...};
  if constexpr (kSlides) {
    constexpr Products kSliding[] = {products_of<kSizes + 1, 3, First, Second>...};
    if (p.taps == 3) return kSliding[pixels - 1](p, x, sums);
  }
  kPlain[pixels - 1](p, x, sums);
}

void products(const PanelProducts& p, const void* x, int pixels, float* sums) {
  const auto* at = static_cast<const float*>(x);
  constexpr auto kAlone = std::make_integer_sequence<int, kPixels>{};
  const bool half = p.last_outputs <= kTrainingPanel / 2;
  if (p.weights2 == nullptr) {
    return half ? run<Half, NoVectors>(p, at, pixels, sums, kAlone)
                : run<Whole, NoVectors>(p, at, pixels, sums, kAlone);
  }
  if constexpr (kTwoPanels) {
    constexpr auto kBoth = std::make_integer_sequence<int, kPixelsOfTwo>{};
    half ? run<Whole, Half>(p, at, pixels, sums, kBoth) : run<Whole, Whole>(p, at, pixels, sums, kBoth);
  } else {
    run<Whole, NoVectors>(p, at, pixels, sums, kAlone);
    PanelProducts second = p;
    second.weights = p.weights2;
    second.weights2 = nullptr;
    products(second, at, pixels, sums + kTrainingPanel);
  }
}

constexpr int kMostChannels = kRegisters == 32 ? 8 : 4;  // of dy in registers, under kMostVectors of x
constexpr int kMostVectors = kRegisters == 32 ? 3 : 2;

template <int kChannels, int kCount>
void outer_of(const OuterProducts& o, int channel, int input) {
  V sums[kChannels][kCount];
  float* const to = o.sums + channel * o.sums_row + input;
  for (int k = 0; k < kChannels; ++k) {
    for (int v = 0; v < kCount; ++v) sums[k][v] = hn::LoadU(kTag, to + k * o.sums_row + v * kLanes);
  }
  const auto* x_image = static_cast<const float*>(o.x) + input;
  const auto* dy_image = static_cast<const float*>(o.dy) + channel * o.dy_channel;
  for (int n = 0; n < o.images; ++n, x_image += o.x_image, dy_image += o.dy_image) {
    const float* x_row = x_image;
    const float* dy_row = dy_image;
    for (int y = 0; y < o.rows; ++y, x_row += o.x_row, dy_row += o.dy_row) {
      const float* x = x_row;
      const float* dy = dy_row;
      for (int c = 0; c < o.columns; ++c, x += o.x_column, dy += o.dy_column) {
        V a[kCount];
        for (int v = 0; v < kCount; ++v) a[v] = hn::LoadU(kTag, x + v * kLanes);
#pragma GCC unroll 8
        for (int k = 0; k < kChannels; ++k) {
          const V b = hn::Set(kTag, dy[k * o.dy_channel]);
          for (int v = 0; v < kCount; ++v) sums[k][v] = hn::MulAdd(a[v], b, sums[k][v]);
        }
      }
    }
  }
  for (int k = 0; k < kChannels; ++k) {
    for (int v = 0; v < kCount; ++v) hn::StoreU(sums[k][v], kTag, to + k * o.sums_row + v * kLanes);
  }
}

template <int kCount>
void outer_of(const OuterProducts& o, int input) {
  int k = 0;
  for (; k + kMostChannels <= o.channels; k += kMostChannels) outer_of<kMostChannels, kCount>(o, k, input);
  if constexpr (kMostChannels > 4) {
    if (k + 4 <= o.channels) outer_of<4, kCount>(o, std::exchange(k, k + 4), input);
  }
  if (k + 2 <= o.channels) outer_of<2, kCount>(o, std::exchange(k, k + 2), input);
  if (k < o.channels) outer_of<1, kCount>(o, k, input);
}

void outer(const OuterProducts& o) {
  const int vectors = (o.inputs + kLanes - 1) / kLanes;
  int v = 0;
  if constexpr (kMostVectors == 3) {
    // Two of two are better than three and one.
    for (; vectors - v >= 3 && vectors - v != 4; v += 3) outer_of<3>(o, v * kLanes);
  }
  for (; vectors - v >= 2; v += 2) outer_of<2>(o, v * kLanes);
  if (v < vectors) outer_of<1>(o, v * kLanes);
}

void nothing() {}

constexpr TrainingUnit kUnit{.name = "fp32",
                             .bf16 = false,
                             .pixels = kPixels,
                             .pixels_of_two = kPixelsOfTwo,
                             .slides = kSlides,
                             .depth = 1,
                             .least_columns = 6,
                             .begin = nothing,
                             .end = nothing,
                             .products = products,
                             .outer = outer};

const TrainingUnit* unit_of_target() {
  return &kUnit;
}

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace concertina::kernels {
HWY_EXPORT(unit_of_target);

const TrainingUnit& training_fp32_unit() {
  return *HWY_DYNAMIC_DISPATCH(unit_of_target)();
}

}  // namespace concertina::kernels
#endif
