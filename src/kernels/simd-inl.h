// Per-target include guard.
#if defined(CONCERTINA_KERNELS_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONCERTINA_KERNELS_SIMD_INL_H_
#undef CONCERTINA_KERNELS_SIMD_INL_H_
#else
#define CONCERTINA_KERNELS_SIMD_INL_H_
#endif

#include <algorithm>
#include <limits>

#include "hwy/highway.h"
#include "kernels/conv_types.h"
#include "kernels/parallel.h"

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr D kTag;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(D()));

/// What a tap reads where it falls into the padding. Channels are visited in runs of at most this many.
constexpr int kMaxRun = 1024;
alignas(64) constexpr float kZeros[kMaxRun] = {};

/// An activation as bounds; only kRelu6 has an upper one. A NaN stays one.
template <bool kUpper>
struct Bounds {
  V low;
  V high;

  HWY_INLINE explicit Bounds(FusedActivation act)
      : low(hn::Set(kTag, act == FusedActivation::none ? -std::numeric_limits<float>::infinity() : 0.0f)),
        high(hn::Set(kTag, act == FusedActivation::relu6 ? 6.0f : std::numeric_limits<float>::infinity())) {}

  HWY_INLINE V apply(V v) const {
    v = hn::Max(low, v);
    return kUpper ? hn::Min(high, v) : v;
  }
};
using AllBounds = Bounds<true>;

/// The first `count` floats at p, without touching what follows them.
HWY_INLINE V load_first(const float* p, int count) {
  alignas(64) float lanes[kLanes] = {};
  for (int i = 0; i < std::min(count, kLanes); ++i) lanes[i] = p[i];
  return hn::Load(kTag, lanes);
}

HWY_INLINE void store_first(V v, float* p, int count) {
  alignas(64) float lanes[kLanes];
  hn::Store(v, kTag, lanes);
  for (int i = 0; i < std::min(count, kLanes); ++i) p[i] = lanes[i];
}

/// Where the windows of kPixels consecutive output pixels begin in the input. Pixels are numbered over the
/// whole batch, so a tile runs on over the ends of rows and images.
template <int kPixels>
class Taps {
 public:
  Taps(const WindowArgs& window, std::ptrdiff_t input_stride, int first_pixel, int count)
      : window_(window), stride_(input_stride) {
    int x = first_pixel % window.out_w;
    int y = first_pixel / window.out_w % window.out_h;
    std::ptrdiff_t row = static_cast<std::ptrdiff_t>(first_pixel / window.out_w / window.out_h) * window.in_h;
    const int last_y = window.in_h - (window.kernel_h - 1) * window.dilation_h;
    const int last_x = window.in_w - (window.kernel_w - 1) * window.dilation_w;
    for (int p = 0; p < kPixels; ++p) {
      y_[p] = y * window.stride_h - window.pad_top;
      x_[p] = x * window.stride_w - window.pad_left;
      origin_[p] = ((row + y_[p]) * window.in_w + x_[p]) * input_stride;
      inside_ &= y_[p] >= 0 && y_[p] < last_y && x_[p] >= 0 && x_[p] < last_x;
      if (p + 1 >= count) continue;  // a slot without a pixel repeats the last one
      if (++x < window.out_w) continue;
      x = 0;
      if (++y < window.out_h) continue;
      y = 0;
      row += window.in_h;
    }
  }

  /// table[t][p]: what pixel p sees at tap begin + t, counted from `input`, or zeros in the padding. Not
  /// inlined, so that it does not compete with sums for registers.
  HWY_NOINLINE void point(const float* input, int begin, int count, const float* (*table)[kPixels]) const {
    int i = begin / window_.kernel_w;
    int j = begin % window_.kernel_w;
    for (int t = 0; t < count; ++t) {
      point_one(input, i * window_.dilation_h, j * window_.dilation_w, table[t]);
      if (++j < window_.kernel_w) continue;
      j = 0;
      ++i;
    }
  }

 private:
  HWY_INLINE void point_one(const float* input, int dy, int dx, const float** pointers) const {
    const std::ptrdiff_t move = (static_cast<std::ptrdiff_t>(dy) * window_.in_w + dx) * stride_;
    if (inside_) {
      for (int p = 0; p < kPixels; ++p) pointers[p] = input + (origin_[p] + move);
      return;
    }
    const auto h = static_cast<unsigned>(window_.in_h);
    const auto w = static_cast<unsigned>(window_.in_w);
    for (int p = 0; p < kPixels; ++p) {
      const bool hit = (static_cast<unsigned>(y_[p] + dy) < h) & (static_cast<unsigned>(x_[p] + dx) < w);
      pointers[p] = hit ? input + (origin_[p] + move) : kZeros;
    }
  }

  const WindowArgs& window_;
  std::ptrdiff_t stride_;
  std::ptrdiff_t origin_[kPixels];
  int y_[kPixels];
  int x_[kPixels];
  bool inside_ = true;
};

/// Where a tile's sums go: one or two vectors of channels for each of `pixels` pixels.
struct TileOutput {
  V scale[2];
  V shift[2];
  const float* residual;  // null or the first pixel's
  std::ptrdiff_t residual_stride;
  float* out;
  std::ptrdiff_t stride;
  int pixels;
  int tail;  // channels in the last vector if it must not touch what follows them, else kLanes
  FusedActivation act;
  int channel;                    // of the first vector
  const FusedFunction* function;  // null: none

  template <bool kResidual, bool kUpper>
  HWY_INLINE void put(int pixel, int vector, V sum, const Bounds<kUpper>& bounds) const {
    V y = hn::MulAdd(sum, scale[vector], shift[vector]);
    if constexpr (kResidual) {
      y = hn::Add(y, hn::LoadU(kTag, residual + pixel * residual_stride + vector * kLanes));
    }
    hn::StoreU(bounds.apply(y), kTag, out + pixel * stride + vector * kLanes);
  }

  /// The same for all sums, [pixels][vectors][kLanes], with what put() leaves out: of the last vector the
  /// first `tail` channels only, and the function. Apart from the tiles, which would each have a copy of it.
  HWY_NOINLINE void put_from_memory(const float* sums, int vectors) const {
    const AllBounds bounds(act);
    for (int pixel = 0; pixel < pixels; ++pixel) {
      for (int vector = 0; vector < vectors; ++vector, sums += kLanes) {
        float* const to = out + pixel * stride + vector * kLanes;
        const std::ptrdiff_t from = pixel * residual_stride + vector * kLanes;
        const int count = vector + 1 < vectors ? kLanes : tail;
        V y = hn::MulAdd(hn::Load(kTag, sums), scale[vector], shift[vector]);
        if (count == kLanes) {
          if (residual != nullptr) y = hn::Add(y, hn::LoadU(kTag, residual + from));
          hn::StoreU(bounds.apply(y), kTag, to);
        } else {
          if (residual != nullptr) y = hn::Add(y, load_first(residual + from, count));
          y = bounds.apply(y);
          store_first(function == nullptr ? y : applied(y, vector), to, count);
        }
      }
    }
    const int whole = tail == kLanes ? vectors : vectors - 1;
    if (function != nullptr && whole > 0) function->apply(out, stride, pixels, channel, whole * kLanes);
  }

  HWY_NOINLINE V applied(V y, int vector) const {
    alignas(64) float lanes[kLanes];
    hn::Store(y, kTag, lanes);
    function->apply(lanes, 0, 1, channel + vector * kLanes, kLanes);
    return hn::Load(kTag, lanes);
  }
};

/// The output of ConvArgs or DepthwiseArgs from pixel `first` and `channel` on.
template <int kVectors, class Args>
HWY_INLINE TileOutput tile_output(const Args& args, int first, int channel, int pixels, int tail) {
  const Epilogue& e = args.epilogue;
  const auto load = [&](const float* of, int vector) HWY_ATTR {
    return vector < kVectors ? hn::LoadU(kTag, of + channel + vector * kLanes) : hn::Zero(kTag);
  };
  return {.scale = {load(e.scale, 0), load(e.scale, 1)},
          .shift = {load(e.shift, 0), load(e.shift, 1)},
          .residual = e.residual == nullptr ? nullptr : e.residual + first * e.residual_stride + channel,
          .residual_stride = e.residual_stride,
          .out = args.output + first * args.output_stride + channel,
          .stride = args.output_stride,
          .pixels = pixels,
          .tail = tail,
          .act = e.act,
          .channel = channel,
          .function = e.function ? &e.function : nullptr};
}

/// The sums of kPixels pixels times kVectors vectors of channels. A chain of structs and not an array,
/// because every compiler keeps its members in registers.
template <int kPixels, int kVectors>
struct Tile {
  Tile<kPixels - 1, kVectors> before;
  V a;
  V b;

  // Written out: an implicit constructor would not be compiled for the target.
  HWY_INLINE Tile() : a(hn::Zero(kTag)), b(hn::Zero(kTag)) {}

  /// Every channel k: sum[pixel][k] += x[pixel][c] * w[k].
  HWY_INLINE void add_broadcast(const float* const* x, int c, V wa, V wb) {
    before.add_broadcast(x, c, wa, wb);
    const V v = hn::Set(kTag, x[kPixels - 1][c]);
    a = hn::MulAdd(v, wa, a);
    if constexpr (kVectors == 2) b = hn::MulAdd(v, wb, b);
  }

  HWY_INLINE void finish(const TileOutput& to) const {
    const bool upper = to.act == FusedActivation::relu6;
    const bool through_memory = to.residual != nullptr && (upper || to.function != nullptr);
    if (to.tail != kLanes || through_memory) {  // rare
      alignas(64) float sums[kPixels * kVectors * kLanes];
      store(sums, kVectors * kLanes, kPixels);
      const TileOutput copy = to;  // so that `to` needs no memory
      copy.put_from_memory(sums, kVectors);
    } else if (to.residual != nullptr) {
      put<true>(to, Bounds<false>(to.act));
    } else if (upper) {
      put<false>(to, Bounds<true>(to.act));
    } else {
      put<false>(to, Bounds<false>(to.act));
      if (to.function == nullptr) return;
      to.function->apply(to.out, to.stride, std::min(kPixels, to.pixels), to.channel, kVectors * kLanes);
    }
  }

  template <bool kResidual, bool kUpper>
  HWY_INLINE void put(const TileOutput& to, const Bounds<kUpper>& bounds) const {
    before.template put<kResidual>(to, bounds);
    if (kPixels > to.pixels) return;
    to.put<kResidual>(kPixels - 1, 0, a, bounds);
    if constexpr (kVectors == 2) to.put<kResidual>(kPixels - 1, 1, b, bounds);
  }

  /// The sums of so many pixels as they are.
  HWY_INLINE void store(float* to, std::ptrdiff_t stride, int pixels) const {
    before.store(to, stride, pixels);
    if (kPixels > pixels) return;
    hn::StoreU(a, kTag, to + (kPixels - 1) * stride);
    if constexpr (kVectors == 2) hn::StoreU(b, kTag, to + (kPixels - 1) * stride + kLanes);
  }
};

template <int kVectors>
struct Tile<0, kVectors> {
  HWY_INLINE Tile() {}
  HWY_INLINE void add_broadcast(const float* const*, int, V, V) {}
  HWY_INLINE void finish(const TileOutput&) const {}
  template <bool kResidual, bool kUpper>
  HWY_INLINE void put(const TileOutput&, const Bounds<kUpper>&) const {}
  HWY_INLINE void store(float*, std::ptrdiff_t, int) const {}
};

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
