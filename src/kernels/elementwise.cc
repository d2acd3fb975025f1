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

void prelu(const PReluArgs& args, ThreadPool& pool) {
  for_pixels(args, args.channels, pool, [&](const float* x, float* out) HWY_ATTR {
    for (int c = 0; c < args.channels; c += kLanes) {
      const V v = hn::LoadU(kTag, x + c);
      const V below = hn::Mul(v, hn::LoadU(kTag, args.slope + c));
      hn::StoreU(hn::IfThenElse(hn::Ge(v, hn::Zero(kTag)), v, below), kTag, out + c);
    }
  });
}

// exp() neither overflows nor becomes denormal in between.
constexpr float kLargestExponent = 87.0f;

HWY_INLINE V unit_clip(V v) {
  return hn::Min(hn::Max(v, hn::Zero(kTag)), hn::Set(kTag, 1.0f));
}

/// Between -most and most. Comparisons let no NaN of the padding through to functions that convert to
/// integers on the way.
HWY_INLINE V limited(V x, float most) {
  const V high = hn::Set(kTag, most), low = hn::Set(kTag, -most);
  x = hn::IfThenElse(hn::Lt(x, high), x, high);
  return hn::IfThenElse(hn::Gt(x, low), x, low);
}

HWY_INLINE V exponential(V x) {
  return hn::Exp(kTag, limited(x, kLargestExponent));
}

HWY_INLINE V sigmoid(V x) {
  const V one = hn::Set(kTag, 1.0f);
  return hn::Div(one, hn::Add(one, exponential(hn::Neg(x))));
}

HWY_INLINE V elu(V x, V a) {
  const V below = hn::Mul(a, hn::Expm1(kTag, limited(x, kLargestExponent)));
  return hn::IfThenElse(hn::Ge(x, hn::Zero(kTag)), x, below);
}

HWY_INLINE V softplus(V x) {
  const V tail = hn::Log1p(kTag, exponential(hn::Neg(hn::Abs(x))));
  return hn::Add(hn::Max(x, hn::Zero(kTag)), tail);
}

HWY_INLINE V mish(V x) {
  // tanh(log(1 + e)) = (e^2 + 2e) / (e^2 + 2e + 2), which is 1 long before e^2 overflows.
  const V e = exponential(hn::Min(x, hn::Set(kTag, 40.0f)));
  const V n = hn::MulAdd(e, e, hn::Add(e, e));
  return hn::Mul(x, hn::Div(n, hn::Add(n, hn::Set(kTag, 2.0f))));
}

/// 1 - erf(x) for x >= 0, to about 1e-6 of itself: t * exp(p(t) - x^2), t = 1 / (1 + x / 2), p a polynomial
/// through the values at ten Chebyshev points of t in [1/6, 1].
HWY_INLINE V complement_of_erf(V x) {
  constexpr float kCoefficients[] = {0.14804604649543762f, -0.6975365877151489f,  1.195327639579773f,
                                     -0.7464699149131775f, -0.03986632451415062f, -0.01950799860060215f,
                                     0.04139596223831177f, 0.38528361916542053f,  0.9987824559211731f,
                                     -1.265454888343811f};
  const V one = hn::Set(kTag, 1.0f);
  const V t = hn::Div(one, hn::MulAdd(x, hn::Set(kTag, 0.5f), one));
  V p = hn::Zero(kTag);
  for (const float coefficient : kCoefficients) p = hn::MulAdd(p, t, hn::Set(kTag, coefficient));
  return hn::Mul(t, exponential(hn::NegMulAdd(x, x, p)));
}

HWY_INLINE V erf(V x) {
  // Near 0 the difference from 1 would lose digits; the series has none to lose.
  constexpr float kSeries[] = {-0.000854832701f, 0.00522397762f, -0.0268661706f,
                               0.112837917f,     -0.376126389f,  1.12837917f};
  const V size = hn::Abs(x), square = hn::Mul(x, x);
  V near = hn::Zero(kTag);
  for (const float coefficient : kSeries) near = hn::MulAdd(near, square, hn::Set(kTag, coefficient));
  const V far = hn::CopySign(hn::Sub(hn::Set(kTag, 1.0f), complement_of_erf(limited(size, 10.0f))), x);
  return hn::IfThenElse(hn::Lt(size, hn::Set(kTag, 0.5f)), hn::Mul(x, near), far);
}

HWY_INLINE V gelu(V x) {
  const V size = hn::Mul(hn::Abs(x), hn::Set(kTag, 0.707106781f));
  const V tail = hn::Mul(hn::Set(kTag, 0.5f), complement_of_erf(limited(size, 10.0f)));
  const V share = hn::IfThenElse(hn::Lt(x, hn::Zero(kTag)), tail, hn::Sub(hn::Set(kTag, 1.0f), tail));
  return hn::Mul(x, share);
}

/// (1 + tanh(u)) / 2 is sigmoid(2u).
HWY_INLINE V gelu_tanh(V x) {
  const V cubic = hn::MulAdd(hn::Mul(x, x), hn::Set(kTag, 0.0713548163f), hn::Set(kTag, 1.59576912f));
  return hn::Mul(x, sigmoid(hn::Mul(x, cubic)));
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
    case PointwiseFunction::Kind::tanh:
      return apply_to_all(args, pool, [&](V x) HWY_ATTR { return hn::Tanh(kTag, limited(x, 20.0f)); });
    case PointwiseFunction::Kind::elu:
      return apply_to_all(args, pool, [&](V x) HWY_ATTR { return elu(x, a); });
    case PointwiseFunction::Kind::selu:
      return apply_to_all(args, pool, [&](V x) HWY_ATTR { return hn::Mul(b, elu(x, a)); });
    case PointwiseFunction::Kind::softplus:
      return apply_to_all(args, pool, [&](V x) HWY_ATTR { return softplus(x); });
    case PointwiseFunction::Kind::mish:
      return apply_to_all(args, pool, [&](V x) HWY_ATTR { return mish(x); });
    case PointwiseFunction::Kind::erf:
      return apply_to_all(args, pool, [&](V x) HWY_ATTR { return erf(x); });
    case PointwiseFunction::Kind::gelu:
      return apply_to_all(args, pool, [&](V x) HWY_ATTR { return gelu(x); });
    case PointwiseFunction::Kind::gelu_tanh:
      return apply_to_all(args, pool, [&](V x) HWY_ATTR { return gelu_tanh(x); });
    case PointwiseFunction::Kind::sqrt:
      return apply_to_all(args, pool, [&](V x) HWY_ATTR { return hn::Sqrt(x); });
    case PointwiseFunction::Kind::reciprocal: {
      const V one = hn::Set(kTag, 1.0f);
      return apply_to_all(args, pool, [&](V x) HWY_ATTR { return hn::Div(one, x); });
    }
  }
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
CONCERTINA_EXPORT(prelu, PReluArgs)
CONCERTINA_EXPORT(activate, ActivateArgs)
CONCERTINA_EXPORT(softmax, SoftmaxArgs)

}  // namespace concertina::kernels
#endif
