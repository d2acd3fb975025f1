#include <algorithm>

#include "kernels/training/conv_unit.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/training/conv_depthwise.cc"
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

/// kRows pixels of a vector of channels.
template <int kRows>
void panel_rows(const PanelProducts& p, const float* weights, const float* x, float* sums) {
  V all[kRows];
  for (int i = 0; i < kRows; ++i) all[i] = hn::Zero(kTag);
  for (const std::ptrdiff_t run : p.runs) {
    const V w = hn::LoadU(kTag, weights);
    weights += kTrainingPanel;
    for (int i = 0; i < kRows; ++i) all[i] = hn::MulAdd(w, hn::LoadU(kTag, x + run + i * p.pixel), all[i]);
  }
  for (int i = 0; i < kRows; ++i) hn::StoreU(all[i], kTag, sums + i * 2 * kTrainingPanel);
}

void depthwise_panels_of(const PanelProducts& p, const float* x, int pixels, float* sums) {
  const float* const panels[] = {static_cast<const float*>(p.weights), static_cast<const float*>(p.weights2)};
  for (int panel = 0; panel < 2 && panels[panel] != nullptr; ++panel) {
    for (int lane = 0; lane < kTrainingPanel; lane += kLanes) {
      const float* const weights = panels[panel] + lane;
      const float* from = x + panel * kTrainingPanel + lane;
      float* to = sums + panel * kTrainingPanel + lane;
      int i = 0;
      for (; i + 8 <= pixels; i += 8)
        panel_rows<8>(p, weights, from + i * p.pixel, to + i * 2 * kTrainingPanel);
      for (; i + 2 <= pixels; i += 2)
        panel_rows<2>(p, weights, from + i * p.pixel, to + i * 2 * kTrainingPanel);
      if (i < pixels) panel_rows<1>(p, weights, from + i * p.pixel, to + i * 2 * kTrainingPanel);
    }
  }
}

/// kRuns taps of a vector of channels.
template <int kRuns>
void outer_runs(const DepthwiseProducts& o, int first, int channel) {
  V sums[kRuns];
  float* const to = o.sums + first * o.sums_row + channel;
  for (int r = 0; r < kRuns; ++r) sums[r] = hn::LoadU(kTag, to + r * o.sums_row);
  for (int n = 0; n < o.images; ++n) {
    for (int y = 0; y < o.rows; ++y) {
      const float* x = o.x + n * o.x_image + y * o.x_row + channel;
      const float* dy = o.dy + n * o.dy_image + y * o.dy_row + channel;
      for (int c = 0; c < o.columns; ++c, x += o.x_column, dy += o.dy_column) {
        const V g = hn::LoadU(kTag, dy);
        for (int r = 0; r < kRuns; ++r)
          sums[r] = hn::MulAdd(g, hn::LoadU(kTag, x + o.runs[first + r]), sums[r]);
      }
    }
  }
  for (int r = 0; r < kRuns; ++r) hn::StoreU(sums[r], kTag, to + r * o.sums_row);
}

void depthwise_products_of(const DepthwiseProducts& o) {
  const int runs = static_cast<int>(o.runs.size());
  for (int channel = 0; channel < o.channels; channel += kLanes) {
    int r = 0;
    for (; r + 9 <= runs; r += 9) outer_runs<9>(o, r, channel);
    for (; r + 3 <= runs; r += 3) outer_runs<3>(o, r, channel);
    for (; r < runs; ++r) outer_runs<1>(o, r, channel);
  }
}

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace concertina::kernels {
HWY_EXPORT(depthwise_panels_of);
HWY_EXPORT(depthwise_products_of);

void depthwise_panels(const PanelProducts& panels, const float* x, int pixels, float* sums) {
  HWY_DYNAMIC_DISPATCH(depthwise_panels_of)(panels, x, pixels, sums);
}

void depthwise_products(const DepthwiseProducts& products) {
  HWY_DYNAMIC_DISPATCH(depthwise_products_of)(products);
}

}  // namespace concertina::kernels
#endif
