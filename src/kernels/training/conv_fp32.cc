#include <algorithm>
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

/// kRows pixels under kCount vectors of weights, which lie in up to two panels.
template <int kRows, int kCount>
void products_of(const PanelProducts& p, const float* x, float* sums) {
  V all[kRows][kCount];
  for (int i = 0; i < kRows; ++i) {
    for (int v = 0; v < kCount; ++v) all[i][v] = hn::Zero(kTag);
  }
  const auto* w = static_cast<const float*>(p.weights);
  const auto* w2 = static_cast<const float*>(kCount > kVectors ? p.weights2 : p.weights);
  for (const std::ptrdiff_t run : p.runs) {
    const float* at = x + run;
    for (int d = 0; d < p.depth; ++d, ++at, w += kTrainingPanel, w2 += kTrainingPanel) {
      V a[kCount];
      for (int v = 0; v < kCount; ++v)
        a[v] = hn::LoadU(kTag, v < kVectors ? w + v * kLanes : w2 + (v - kVectors) * kLanes);
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
        const V b = hn::Set(kTag, at[i * p.pixel]);
        for (int v = 0; v < kCount; ++v) all[i][v] = hn::MulAdd(a[v], b, all[i][v]);
      }
    }
  }
  for (int i = 0; i < kRows; ++i) {
    for (int v = 0; v < kCount; ++v) hn::StoreU(all[i][v], kTag, sums + i * 2 * kTrainingPanel + v * kLanes);
  }
}

/// Three taps: each input is read once for the three pixels that see it.
template <int kRows, int kCount>
void slide(const PanelProducts& p, const float* x, float* sums) {
  V all[kRows][kCount];
  for (int i = 0; i < kRows; ++i) {
    for (int v = 0; v < kCount; ++v) all[i][v] = hn::Zero(kTag);
  }
  constexpr int kStep = 3 * kTrainingPanel;
  const auto* w = static_cast<const float*>(p.weights);
  const auto* w2 = static_cast<const float*>(kCount > kVectors ? p.weights2 : p.weights);
  for (const std::ptrdiff_t run : p.runs) {
    const float* at = x + run;
    for (int d = 0; d < p.depth; ++d, ++at, w += kStep, w2 += kStep) {
      V a[3][kCount];
      for (int tap = 0; tap < 3; ++tap) {
        for (int v = 0; v < kCount; ++v) {
          const float* from = v < kVectors ? w + v * kLanes : w2 + (v - kVectors) * kLanes;
          a[tap][v] = hn::LoadU(kTag, from + tap * kTrainingPanel);
        }
      }
#pragma GCC unroll 18
      for (int i = 0; i < kRows + 2; ++i) {
        const V b = hn::Set(kTag, at[i * p.pixel]);
#pragma GCC unroll 3
        for (int tap = 0; tap < 3; ++tap) {
          const int row = i - tap;
          if (row < 0 || row >= kRows) continue;
          for (int v = 0; v < kCount; ++v) all[row][v] = hn::MulAdd(a[tap][v], b, all[row][v]);
        }
      }
    }
  }
  for (int i = 0; i < kRows; ++i) {
    for (int v = 0; v < kCount; ++v) hn::StoreU(all[i][v], kTag, sums + i * 2 * kTrainingPanel + v * kLanes);
  }
}

template <int kCount, int... kSizes>
void products_of(const PanelProducts& p, const float* x, int pixels, float* sums,
                 std::integer_sequence<int, kSizes...>) {
  using Products = void (*)(const PanelProducts&, const float*, float*);
  constexpr Products kPlain[] = {products_of<kSizes + 1, kCount>...},
                     kSliding[] = {slide<kSizes + 1, kCount>...};
  (p.taps == 3 ? kSliding : kPlain)[pixels - 1](p, x, sums);
}

void products(const PanelProducts& p, const void* x, int pixels, float* sums) {
  const auto* at = static_cast<const float*>(x);
  constexpr auto kSizes = std::make_integer_sequence<int, kPixels>{};
  if (p.weights2 == nullptr) return products_of<kVectors>(p, at, pixels, sums, kSizes);
  if constexpr (kTwoPanels) {
    products_of<2>(p, at, pixels, sums, std::make_integer_sequence<int, kPixelsOfTwo>{});
  } else {
    products_of<kVectors>(p, at, pixels, sums, kSizes);
    PanelProducts second = p;
    second.weights = p.weights2;
    products_of<kVectors>(second, at, pixels, sums + kTrainingPanel, kSizes);
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
