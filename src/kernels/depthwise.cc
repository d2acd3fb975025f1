#include "kernels/depthwise.h"

#include <algorithm>

#include "kernels/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/depthwise.cc"
#include "hwy/foreach_target.h"  // must come before highway.h
#include "hwy/highway.h"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

// Sums of eight pixels hide the latency of the multiply-adds, and each weight is loaded once for them.
constexpr int kTilePixels = 8;

void run_tile(const DepthwiseArgs& args, int first, int pixels) {
  const Taps<kTilePixels> taps(args.window, args.input_stride, first, pixels);
  const Epilogue& e = args.epilogue;
  const std::ptrdiff_t row = round_up(args.full_channels, kLanes);
  const float* x[kMaxDepthwiseTaps][kTilePixels];
  for (int begin = 0; begin < args.channels; begin += kMaxRun) {
    taps.point(args.input + begin, 0, args.window.taps(), x);
    const int count = std::min(args.channels - begin, kMaxRun);
    for (int c = 0; c < count; c += kLanes) {
      Tile<kTilePixels, 1> tile;
      const int channel = begin + c;
      const float* w = args.packed + channel;
      for (int t = 0; t < args.window.taps(); ++t, w += row) tile.add_lanes(x[t], c, hn::Load(kTag, w));
      tile.finish(
          {.scale = {hn::LoadU(kTag, e.scale + channel), hn::Zero(kTag)},
           .shift = {hn::LoadU(kTag, e.shift + channel), hn::Zero(kTag)},
           .residual = e.residual == nullptr ? nullptr : e.residual + first * e.residual_stride + channel,
           .residual_stride = e.residual_stride,
           .out = args.output + first * args.output_stride + channel,
           .stride = args.output_stride,
           .pixels = pixels,
           .tail = kLanes,
           .act = e.act});
    }
  }
}

void depthwise(const DepthwiseArgs& args, ThreadPool& pool) {
  const int pixels = args.batch * args.window.out_h * args.window.out_w;
  pool.parallel_for(hwy::DivCeil(pixels, kTilePixels), [&](int tile) {
    const int first = tile * kTilePixels;
    run_tile(args, first, std::min(pixels - first, kTilePixels));
  });
}

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace concertina::kernels {
namespace {

HWY_EXPORT(depthwise);

}  // namespace

std::size_t packed_depthwise_size(int channels, int taps) {
  return static_cast<std::size_t>(round_up(channels, vector_lanes())) * static_cast<std::size_t>(taps);
}

void pack_depthwise(int channels, int taps, const float* weights, float* packed) {
  const int row = round_up(channels, vector_lanes());
  for (int t = 0; t < taps; ++t) {
    for (int c = 0; c < row; ++c) *packed++ = c < channels ? weights[c * taps + t] : 0.0f;
  }
}

void depthwise(const DepthwiseArgs& args, ThreadPool& pool) {
  HWY_DYNAMIC_DISPATCH(depthwise)(args, pool);
}

}  // namespace concertina::kernels
#endif
