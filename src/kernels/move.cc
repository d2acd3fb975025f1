#include "kernels/move.h"

#include <algorithm>

#include "kernels/conv_types.h"
#include "kernels/layout.h"
#include "kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/move.cc"
#include "hwy/foreach_target.h"  // must come before highway.h
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// out[3 * p + c] = planes[c * plane + p] for `count` pixels: an image of three channels, the usual one.
void interleave_three(const float* planes, std::ptrdiff_t plane, int count, float* out) {
  const hn::ScalableTag<float> d;
  const int lanes = static_cast<int>(hn::Lanes(d));
  const float* a = planes;
  const float* b = planes + plane;
  const float* c = planes + 2 * plane;
  int p = 0;
  for (; p + lanes <= count; p += lanes) {
    hn::StoreInterleaved3(hn::LoadU(d, a + p), hn::LoadU(d, b + p), hn::LoadU(d, c + p), d,
                          out + std::ptrdiff_t{3} * p);
  }
  for (; p < count; ++p) {
    for (int i = 0; i < 3; ++i) out[std::ptrdiff_t{3} * p + i] = planes[i * plane + p];
  }
}

void gather_channels(const GatherArgs& args, ThreadPool& pool) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> positions;
  const auto channels = static_cast<int>(args.sources.size());
  for_pixels(args, channels, pool, [&](const float* in, float* out) HWY_ATTR {
    for (int c = 0; c < channels; c += static_cast<int>(hn::Lanes(d))) {
      hn::StoreU(hn::GatherIndex(d, in, hn::LoadU(positions, args.sources.data() + c)), d, out + c);
    }
  });
}

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

// Otherwise plain loops: all of this is bound by memory, and the compiler does the copies with vectors by
// itself.
#if HWY_ONCE
namespace concertina::kernels {
namespace {

HWY_EXPORT(interleave_three);

/// out[c * pixels + p] = in[p * stride + c], in blocks of pixels so that the lines being written stay in the
/// first-level cache.
void transpose(const float* in, std::ptrdiff_t stride, int channels, int pixels, int begin, int end,
               float* out) {
  for (int c = 0; c < channels; ++c) {
    float* plane = out + static_cast<std::ptrdiff_t>(c) * pixels;
    for (int p = begin; p < end; ++p) plane[p] = in[p * stride + c];
  }
}

constexpr int kBlock = 64;

}  // namespace

void from_plain(const FromPlainArgs& args, ThreadPool& pool) {
  for_image_pixels(args.batch, args.pixels, kBlock, pool, [&](std::ptrdiff_t n, int begin, int end) {
    const float* in = args.input + n * args.input_channels * args.plane;
    float* out = args.output + n * args.pixels * args.output_stride;
    if (args.channels == 3 && args.output_stride == 3) {
      HWY_DYNAMIC_DISPATCH(interleave_three)
      (in + begin, args.plane, end - begin, out + std::ptrdiff_t{3} * begin);
      return;
    }
    for (int c = 0; c < args.channels; ++c) {
      const float* plane = in + static_cast<std::ptrdiff_t>(c) * args.plane;
      for (int p = begin; p < end; ++p) out[p * args.output_stride + c] = plane[p];
    }
  });
}

void to_plain(const ToPlainArgs& args, ThreadPool& pool) {
  for_image_pixels(args.batch, args.pixels, kBlock, pool, [&](std::ptrdiff_t n, int begin, int end) {
    transpose(args.input + n * args.pixels * args.input_stride, args.input_stride, args.channels, args.pixels,
              begin, end, args.output + n * args.output_channels * args.pixels);
  });
}

void copy_channels(const CopyArgs& args, ThreadPool& pool) {
  const int channels = round_up(args.channels, vector_lanes());
  for_pixels(args, channels, pool, [&](const float* in, float* out) { std::copy_n(in, channels, out); });
}

CONCERTINA_EXPORT(gather_channels, GatherArgs)

void flatten(const FlattenArgs& args, ThreadPool& pool) {
  for_image_pixels(args.batch, args.pixels, kBlock, pool, [&](std::ptrdiff_t n, int begin, int end) {
    for (const FlattenSegment& s : args.segments) {
      transpose(args.input + n * args.pixels * args.input_stride + s.input_offset, args.input_stride, s.count,
                args.pixels, begin, end, args.output + n * args.output_stride + s.output_offset);
    }
  });
}

}  // namespace concertina::kernels
#endif
