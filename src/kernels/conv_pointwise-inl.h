// Per-target include guard.
#if defined(CONCERTINA_KERNELS_CONV_POINTWISE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONCERTINA_KERNELS_CONV_POINTWISE_INL_H_
#undef CONCERTINA_KERNELS_CONV_POINTWISE_INL_H_
#else
#define CONCERTINA_KERNELS_CONV_POINTWISE_INL_H_
#endif

#include "kernels/conv_panel-inl.h"

// 1x1 convolutions without stride: all pixels of the batch are one run. Of few input channels, tiles are two
// panels wide: an input is broadcast once for both.

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

// Weights are one long run, but processors fetch ahead only within a page, and a page is used up before the
// next one comes from the third-level cache. So many channels are a page and a quarter.
constexpr int kAhead = 5 * 1024 / (kPanel * static_cast<int>(sizeof(float)));

// With more, the weights of two panels leave the first-level cache from tile to tile.
constexpr int kMaxWideInputs = 128;

// With fewer pixels, fetching weights takes the time, and long runs of them come faster.
constexpr int kMinWidePixels = 16;

/// x[i]: the first input of pixel first + i; a slot without a pixel repeats the last one. Not inlined, so
/// that it does not compete with sums for registers.
HWY_NOINLINE void point_pixels(const PanelJob& job, int input_offset, int first, int pixels, int slots,
                               const float** x) {
  const float* at = job.input + first * job.args.input_stride + input_offset;
  for (int i = 0; i < slots; ++i) {
    x[i] = at;
    if (i + 1 < pixels) at += job.args.input_stride;
  }
}

/// Output pixels first .. first + pixels - 1 of a panel.
template <int kPixels, int kVectors>
void run_pointwise_tile(const PanelJob& job, int first, int pixels) {
  Tile<kPixels, kVectors> tile;
  for (const ChannelRange& range : job.inputs) {
    const float* x[kPixels];
    point_pixels(job, range.input_offset, first, pixels, kPixels, x);
    const float* w = job.weights + std::ptrdiff_t{range.weight_begin} * kPanel;
    for (int c = 0; c < range.count; ++c, w += kPanel) {
      if constexpr (kVectors == 2 && kPixels >= 8) {
        __builtin_prefetch(w + kAhead * kPanel);
        __builtin_prefetch(w + kAhead * kPanel + kLanes);
      }
      tile.add_broadcast(x, c, hn::Load(kTag, w), hn::Load(kTag, w + kLanes));
    }
  }
  tile.finish(tile_output(job, first, pixels));
}

using PixelsFunction = void (*)(const PanelJob& job, int first, int pixels);

template <int kVectors>
constexpr int kMaxPointwisePixels = kTilePixels * 2 / kVectors;

template <int kVectors>
constexpr auto kPointwiseTiles = tile_functions<PixelsFunction, kMaxPointwisePixels<kVectors>>(
    std::conditional_t<kVectors == 1, LongLengths, ShortLengths>(),
    []<int kPixels>(std::integral_constant<int, kPixels>) -> PixelsFunction {
      return run_pointwise_tile<kPixels, kVectors>;
    });

/// Adds an input of each pixel, times the weights of both panels.
template <int kPixels, int kRight>
HWY_INLINE void add_wide(Tile<kPixels, 2>& left, Tile<kPixels, kRight>& right, const float* const* x, int c,
                         V la, V lb, V ra, V rb) {
  if constexpr (kPixels > 0) {
    add_wide(left.before, right.before, x, c, la, lb, ra, rb);
    const V v = hn::Set(kTag, x[kPixels - 1][c]);
    left.a = hn::MulAdd(v, la, left.a);
    left.b = hn::MulAdd(v, lb, left.b);
    right.a = hn::MulAdd(v, ra, right.a);
    if constexpr (kRight == 2) right.b = hn::MulAdd(v, rb, right.b);
  }
}

/// Output pixels first .. first + pixels - 1 of two panels, of which the second has kRight vectors.
template <int kPixels, int kRight>
void run_wide_tile(const PanelJob& left, const PanelJob& right, int first, int pixels) {
  Tile<kPixels, 2> left_sums;
  Tile<kPixels, kRight> right_sums;
  for (const ChannelRange& range : left.inputs) {
    const float* x[kPixels];
    point_pixels(left, range.input_offset, first, pixels, kPixels, x);
    const std::ptrdiff_t begin = std::ptrdiff_t{range.weight_begin} * kPanel;
    const float* l = left.weights + begin;
    const float* r = right.weights + begin;
    for (int c = 0; c < range.count; ++c, l += kPanel, r += kPanel) {
      add_wide(left_sums, right_sums, x, c, hn::Load(kTag, l), hn::Load(kTag, l + kLanes), hn::Load(kTag, r),
               hn::Load(kTag, r + kLanes));
    }
  }
  left_sums.finish(tile_output(left, first, pixels));
  right_sums.finish(tile_output(right, first, pixels));
}

using WideFunction = void (*)(const PanelJob& left, const PanelJob& right, int first, int pixels);

/// Pixels of a tile: with the weights and the input it fills 29 or 28 of 32 registers.
template <int kRight>
constexpr int kWidePixels = kRight == 2 ? 6 : 8;

template <int kRight>
constexpr auto kWideTiles = tile_functions<WideFunction, kWidePixels<kRight>>(
    Lengths<2, 4>(), []<int kPixels>(std::integral_constant<int, kPixels>) -> WideFunction {
      return run_wide_tile<kPixels, kRight>;
    });

/// Whether every output pixel sees the same pixel of the input.
bool is_pointwise(const WindowArgs& w) {
  return w.taps() == 1 && w.stride_h == 1 && w.stride_w == 1 && w.out_h == w.in_h && w.out_w == w.in_w;
}

/// Whether tiles of two panels can take it, and pay.
bool prefers_wide(const ConvArgs& args) {
  int in_channels = 0;
  for (const ChannelRange& range : args.inputs) in_channels += range.count;
  return k32Registers && args.filter.groups == 1 && is_pointwise(args.window) && args.out_channels > kPanel &&
         in_channels <= kMaxWideInputs && args.window.out_w >= kMinWidePixels;
}

/// Calls run(function, first, pixels) for tiles that cover the pixels first .. last - 1.
template <class Function, class Run>
HWY_INLINE void cover_pixels(const TileTable<Function>& tiles, int first, int last, const Run& run) {
  while (first < last) {
    const int pixels = tiles.length(last - first);
    run(tiles.functions[pixels], first, pixels);
    first += pixels;
  }
}

template <int kRight>
void run_wide(const PanelJob& left, const PanelJob& right, int first, int last) {
  cover_pixels(TileTable(kWideTiles<kRight>), first, last,
               [&](WideFunction run, int at, int pixels) { run(left, right, at, pixels); });
}

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
