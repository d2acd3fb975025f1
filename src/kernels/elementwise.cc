#include "kernels/elementwise.h"

#include <algorithm>
#include <limits>

#include "kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/elementwise.cc"
// clang-format off
#include "hwy/foreach_target.h"  // must come before the rest
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"
// clang-format on
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

/// b(c): the vector of the second operand that meets the channels from c on.
template <typename Second>
HWY_INLINE void combine_pixel(const CombineArgs& args, const float* a, const Second& b, float* out) {
  const AllBounds bounds(args.act);
  if (args.arithmetic == Arithmetic::add) {
    for (int c = 0; c < args.channels; c += kLanes)
      hn::StoreU(bounds.apply(hn::Add(hn::LoadU(kTag, a + c), b(c))), kTag, out + c);
  } else {
    for (int c = 0; c < args.channels; c += kLanes)
      hn::StoreU(bounds.apply(hn::Mul(hn::LoadU(kTag, a + c), b(c))), kTag, out + c);
  }
}

void combine_run(const CombineArgs& args, std::ptrdiff_t image, std::ptrdiff_t begin, std::ptrdiff_t end) {
  const float* a = args.a + (image * args.pixels + begin) * args.a_stride;
  const float* b = args.b + image * args.b_image_stride + begin * args.b_stride;
  float* out = args.output + (image * args.pixels + begin) * args.output_stride;
  for (std::ptrdiff_t p = begin; p < end; ++p) {
    if (args.b_is_spread) {
      const V one = hn::Set(kTag, *b);
      combine_pixel(
          args, a, [&](int) HWY_ATTR { return one; }, out);
    } else {
      combine_pixel(
          args, a, [&](int c) HWY_ATTR { return hn::LoadU(kTag, b + c); }, out);
    }
    a += args.a_stride;
    b += args.b_stride;
    out += args.output_stride;
  }
}

void combine(const CombineArgs& args, ThreadPool& pool) {
  for_image_pixels(args.batch, args.pixels, pixel_block(args.channels), pool,
                   [&](std::ptrdiff_t image, std::ptrdiff_t begin, std::ptrdiff_t end) {
                     combine_run(args, image, begin, end);
                   });
}

void affine_pixel(const float* x, const float* scale, const float* shift, float* out, int channels,
                  FusedActivation act) {
  const AllBounds bounds(act);
  for (int c = 0; c < channels; c += kLanes) {
    V y = hn::LoadU(kTag, x + c);
    if (scale != nullptr) y = hn::MulAdd(y, hn::LoadU(kTag, scale + c), hn::LoadU(kTag, shift + c));
    hn::StoreU(bounds.apply(y), kTag, out + c);
  }
}

void affine(const AffineArgs& args, ThreadPool& pool) {
  for_pixels(args, args.channels, pool, [&](const float* x, float* out) {
    affine_pixel(x, args.scale, args.shift, out, args.channels, args.act);
  });
}

/// The real channels of the vector at c; `other` in the lanes past the last channel.
HWY_INLINE V mask_tail(V v, int c, int channels, V other) {
  if (c + kLanes <= channels) return v;
  return hn::IfThenElse(hn::FirstN(kTag, static_cast<std::size_t>(channels - c)), v, other);
}

void softmax_pixel(const float* x, float* out, int channels, bool logarithm) {
  const V lowest = hn::Set(kTag, -std::numeric_limits<float>::infinity());
  V top = lowest;
  for (int c = 0; c < channels; c += kLanes) {
    top = hn::Max(top, mask_tail(hn::LoadU(kTag, x + c), c, channels, lowest));
  }
  top = hn::MaxOfLanes(kTag, top);
  V sum = hn::Zero(kTag);
  for (int c = 0; c < channels; c += kLanes) {
    // Padding is replaced before Exp, which may not be given NaN: it converts to integers on the way.
    const V real = mask_tail(hn::LoadU(kTag, x + c), c, channels, top);
    const V e = mask_tail(hn::Exp(kTag, hn::Sub(real, top)), c, channels, hn::Zero(kTag));
    hn::StoreU(logarithm ? hn::Sub(real, top) : e, kTag, out + c);
    sum = hn::Add(sum, e);
  }
  if (logarithm) {
    const V total = hn::Log(kTag, hn::SumOfLanes(kTag, sum));
    for (int c = 0; c < channels; c += kLanes)
      hn::StoreU(hn::Sub(hn::LoadU(kTag, out + c), total), kTag, out + c);
    return;
  }
  const V factor = hn::Div(hn::Set(kTag, 1.0f), hn::SumOfLanes(kTag, sum));
  for (int c = 0; c < channels; c += kLanes)
    hn::StoreU(hn::Mul(hn::LoadU(kTag, out + c), factor), kTag, out + c);
}

void softmax(const SoftmaxArgs& args, ThreadPool& pool) {
  for_pixels(args, args.channels, pool,
             [&](const float* x, float* out) { softmax_pixel(x, out, args.channels, args.logarithm); });
}

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace concertina::kernels {

CONCERTINA_EXPORT(combine, CombineArgs)
CONCERTINA_EXPORT(affine, AffineArgs)
CONCERTINA_EXPORT(softmax, SoftmaxArgs)

void activate(const ActivateArgs& args, ThreadPool& pool) {
  const PointwiseLoop loop = fused(args.function).loop;
  const std::ptrdiff_t block = pixel_block(args.channels);
  pool.parallel_for(static_cast<int>((args.pixels + block - 1) / block), [&](int i) {
    const std::ptrdiff_t begin = i * block;
    loop(args.function, {.input = args.input + begin * args.input_stride,
                         .input_stride = args.input_stride,
                         .output = args.output + begin * args.output_stride,
                         .output_stride = args.output_stride,
                         .pixels = std::min(args.pixels - begin, block),
                         .channels = args.channels});
  });
}

}  // namespace concertina::kernels
#endif
