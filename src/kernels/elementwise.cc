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

// exp() neither overflows nor becomes denormal in between.
constexpr float kLargestExponent = 87.0f;

HWY_INLINE V unit_clip(V v) {
  return hn::Min(hn::Max(v, hn::Zero(kTag)), hn::Set(kTag, 1.0f));
}

HWY_INLINE V sigmoid(V x) {
  const V most = hn::Set(kTag, kLargestExponent);
  // Comparisons let no NaN of the padding through to Exp, which converts to integers on the way.
  V minus = hn::IfThenElse(hn::Lt(hn::Neg(x), most), hn::Neg(x), most);
  minus = hn::IfThenElse(hn::Gt(minus, hn::Neg(most)), minus, hn::Neg(most));
  const V one = hn::Set(kTag, 1.0f);
  return hn::Div(one, hn::Add(one, hn::Exp(kTag, minus)));
}

template <typename Apply>
void apply_to_all(const ActivateArgs& args, ThreadPool& pool, const Apply& apply) {
  for_pixels(args, args.channels, pool, [&](const float* x, float* out) HWY_ATTR {
    for (int c = 0; c < args.channels; c += kLanes) hn::StoreU(apply(hn::LoadU(kTag, x + c)), kTag, out + c);
  });
}

void activate(const ActivateArgs& args, ThreadPool& pool) {
  const V a = hn::Set(kTag, args.function.a), b = hn::Set(kTag, args.function.b);
  switch (args.function.kind) {
    case PointwiseFunction::Kind::clip:
      return apply_to_all(args, pool, [&](V x) HWY_ATTR { return hn::Min(hn::Max(x, a), b); });
    case PointwiseFunction::Kind::leaky_relu:
      return apply_to_all(args, pool, [&](V x) HWY_ATTR {
        return hn::IfThenElse(hn::Ge(x, hn::Zero(kTag)), x, hn::Mul(a, x));
      });
    case PointwiseFunction::Kind::hard_sigmoid:
      return apply_to_all(args, pool, [&](V x) HWY_ATTR { return unit_clip(hn::MulAdd(a, x, b)); });
    case PointwiseFunction::Kind::hard_swish: {
      const V sixth = hn::Set(kTag, 1.0f / 6), half = hn::Set(kTag, 0.5f);
      return apply_to_all(args, pool,
                          [&](V x) HWY_ATTR { return hn::Mul(x, unit_clip(hn::MulAdd(x, sixth, half))); });
    }
    case PointwiseFunction::Kind::sigmoid:
      return apply_to_all(args, pool, [&](V x) HWY_ATTR { return sigmoid(x); });
  }
}

/// The real channels of the vector at c; `other` in the lanes past the last channel.
HWY_INLINE V mask_tail(V v, int c, int channels, V other) {
  if (c + kLanes <= channels) return v;
  return hn::IfThenElse(hn::FirstN(kTag, static_cast<std::size_t>(channels - c)), v, other);
}

void softmax_pixel(const float* x, float* out, int channels) {
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
    hn::StoreU(e, kTag, out + c);
    sum = hn::Add(sum, e);
  }
  const V factor = hn::Div(hn::Set(kTag, 1.0f), hn::SumOfLanes(kTag, sum));
  for (int c = 0; c < channels; c += kLanes)
    hn::StoreU(hn::Mul(hn::LoadU(kTag, out + c), factor), kTag, out + c);
}

void softmax(const SoftmaxArgs& args, ThreadPool& pool) {
  for_pixels(args, args.channels, pool,
             [&](const float* x, float* out) { softmax_pixel(x, out, args.channels); });
}

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace concertina::kernels {

CONCERTINA_EXPORT(combine, CombineArgs)
CONCERTINA_EXPORT(affine, AffineArgs)
CONCERTINA_EXPORT(activate, ActivateArgs)
CONCERTINA_EXPORT(softmax, SoftmaxArgs)

}  // namespace concertina::kernels
#endif
