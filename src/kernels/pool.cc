#include "kernels/pool.h"

#include <algorithm>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/pool.cc"
#include "hwy/foreach_target.h"  // must come before highway.h
#include "hwy/highway.h"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

struct MaxOp {
  static HWY_INLINE V nothing() { return hn::Set(kTag, -std::numeric_limits<float>::infinity()); }
  static HWY_INLINE V join(V a, V b) { return hn::Max(a, b); }
};
struct SumOp {
  static HWY_INLINE V nothing() { return hn::Zero(kTag); }
  static HWY_INLINE V join(V a, V b) { return hn::Add(a, b); }
};

/// The taps of a window, along one side, that lie in some part of the padded map.
struct Span {
  int begin;  ///< where the first one lies
  int count;
  int step = 1;
};

/// Of `taps` taps, `step` apart from `begin` on, those in [low, high).
Span clip(int begin, int taps, int step, int low, int high) {
  const int first = begin >= low ? 0 : (low - begin + step - 1) / step;
  const int end = high <= begin ? 0 : std::min(taps, (high - begin + step - 1) / step);
  return {begin + first * step, std::max(0, end - first), step};
}

/// Joins the pixels rows x columns of one map, and scales the result.
template <typename Op>
void pool_pixel(const float* map, std::ptrdiff_t stride, int map_w, Span rows, Span columns, int channels,
                float scale, float* out) {
  const V factor = hn::Set(kTag, scale);
  const std::ptrdiff_t down = std::ptrdiff_t{rows.step} * map_w * stride, right = columns.step * stride;
  const float* corner = map + (std::ptrdiff_t{rows.begin} * map_w + columns.begin) * stride;
  for (int c = 0; c < channels; c += kLanes) {
    V sum = Op::nothing();
    for (int y = 0; y < rows.count; ++y) {
      const float* row = corner + y * down + c;
      for (int x = 0; x < columns.count; ++x) sum = Op::join(sum, hn::LoadU(kTag, row + x * right));
    }
    hn::StoreU(hn::Mul(sum, factor), kTag, out + c);
  }
}

/// One row of output pixels; scale(y, x) is what the joined window that begins at (y, x) is multiplied by.
template <typename Op, typename Scale>
void pool_row(const PoolArgs& args, int row, const Scale& scale) {
  const WindowArgs& w = args.window;
  const int y = row % w.out_h * w.stride_h - w.pad_top;
  const Span rows = clip(y, w.kernel_h, w.dilation_h, 0, w.in_h);
  const float* map =
      args.input + static_cast<std::ptrdiff_t>(row / w.out_h) * w.in_h * w.in_w * args.input_stride;
  float* out = args.output + static_cast<std::ptrdiff_t>(row) * w.out_w * args.output_stride;
  for (int ox = 0; ox < w.out_w; ++ox, out += args.output_stride) {
    const int x = ox * w.stride_w - w.pad_left;
    const Span columns = clip(x, w.kernel_w, w.dilation_w, 0, w.in_w);
    pool_pixel<Op>(map, args.input_stride, w.in_w, rows, columns, args.channels, scale(y, x), out);
  }
}

void max_pool(const PoolArgs& args, ThreadPool& pool) {
  pool.parallel_for(args.batch * args.window.out_h,
                    [&](int row) { pool_row<MaxOp>(args, row, [](int, int) { return 1.0f; }); });
}

void average_pool(const PoolArgs& args, const AveragePadding& padding, ThreadPool& pool) {
  const WindowArgs& w = args.window;
  const int top = padding.counts ? -w.pad_top : 0, left = padding.counts ? -w.pad_left : 0;
  const int bottom = w.in_h + (padding.counts ? padding.pad_bottom : 0);
  const int right = w.in_w + (padding.counts ? padding.pad_right : 0);
  const auto scale = [&](int y, int x) {
    const int count = clip(y, w.kernel_h, w.dilation_h, top, bottom).count *
                      clip(x, w.kernel_w, w.dilation_w, left, right).count;
    return 1.0f / static_cast<float>(count);
  };
  pool.parallel_for(args.batch * w.out_h, [&](int row) { pool_row<SumOp>(args, row, scale); });
}

// A map is one window as wide as itself and one row high; the threads share the channels of all maps.
void global_average_pool(const GlobalPoolArgs& args, ThreadPool& pool) {
  constexpr int kBlock = 4 * kLanes;
  const int blocks = hwy::DivCeil(args.channels, kBlock);
  pool.parallel_for(args.batch * blocks, [&](int unit) {
    const int n = unit / blocks;
    const int begin = unit % blocks * kBlock;
    const float* map = args.input + static_cast<std::ptrdiff_t>(n) * args.pixels * args.input_stride + begin;
    pool_pixel<SumOp>(map, args.input_stride, args.pixels, {0, 1}, {0, args.pixels},
                      std::min(kBlock, args.channels - begin), 1.0f / static_cast<float>(args.pixels),
                      args.output + n * args.output_stride + begin);
  });
}

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace concertina::kernels {
HWY_EXPORT(average_pool);

CONCERTINA_EXPORT(max_pool, PoolArgs)

void average_pool(const PoolArgs& args, const AveragePadding& padding, ThreadPool& pool) {
  HWY_DYNAMIC_DISPATCH(average_pool)(args, padding, pool);
}

CONCERTINA_EXPORT(global_average_pool, GlobalPoolArgs)

}  // namespace concertina::kernels
#endif
