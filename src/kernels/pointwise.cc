#include "kernels/pointwise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/pointwise.cc"
// clang-format off
#include "hwy/foreach_target.h"  // must come before the rest
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"
// clang-format on
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

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

/// exp(x) to 2e-7 of itself, x first limited: 2^k * exp(r), r in [-log(2) / 2, log(2) / 2]. It converts
/// nothing to an integer, so the padding's NaNs may come in.
HWY_INLINE V exponential(V x) {
  const hn::RebindToUnsigned<D> bits;
  x = hn::Min(hn::Max(x, hn::Set(kTag, -kLargestExponent)), hn::Set(kTag, kLargestExponent));
  // So large that its last bit counts 1: the sum is rounded to k, which is in its last bits.
  const V large = hn::Set(kTag, 12582912.0f);
  const V shifted = hn::MulAdd(x, hn::Set(kTag, 1.442695041f), large);
  const V k = hn::Sub(shifted, large);
  V r = hn::NegMulAdd(k, hn::Set(kTag, 0.693145752f), x);
  r = hn::NegMulAdd(k, hn::Set(kTag, 1.42860677e-6f), r);
  // The least relative error among polynomials of this degree, 9e-8.
  constexpr float kCoefficients[] = {0.04189815998f, 0.1666763813f, 0.4999914784f, 0.9999997063f, 1.0f};
  V p = hn::Set(kTag, 0.008290272039f);
  for (const float coefficient : kCoefficients) p = hn::MulAdd(p, r, hn::Set(kTag, coefficient));
  return hn::BitCast(kTag, hn::Add(hn::BitCast(bits, p), hn::ShiftLeft<23>(hn::BitCast(bits, shifted))));
}

/// 1 / x for x in [1, 2^126].
HWY_INLINE V reciprocal_of_large(V x) {
#if HWY_TARGET <= HWY_AVX3
  const V near = hn::ApproximateReciprocal(x);  // to 14 bits
  return hn::Mul(near, hn::NegMulAdd(near, x, hn::Set(kTag, 2.0f)));
#else
  return hn::Div(hn::Set(kTag, 1.0f), x);
#endif
}

HWY_INLINE V sigmoid(V x) {
  return reciprocal_of_large(hn::Add(hn::Set(kTag, 1.0f), exponential(hn::Neg(x))));
}

HWY_INLINE V silu(V x) {
  return hn::Mul(x, sigmoid(x));
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

/// x times the share of a normal distribution below x: 1/2 + x * p(x^2) / q(x^2), whose error is 1e-8 up
/// to 5.5.
HWY_INLINE V gelu(V x) {
  constexpr float kNumerator[] = {6.35193464e-6f, 1.68794722e-4f, 4.67707217e-3f, 3.38495783e-2f,
                                  0.398942232f};
  constexpr float kDenominator[] = {7.36377551e-5f, 1.88426895e-3f, 2.86441147e-2f, 0.251514226f, 1.0f};
  const V floor = hn::Max(x, hn::Set(kTag, -5.5f));  // below, nothing is left
  const V near = hn::Min(floor, hn::Set(kTag, 5.5f)), square = hn::Mul(near, near);
  V p = hn::Set(kTag, 2.27519621e-8f), q = hn::Set(kTag, 1.19756647e-6f);
  for (const float coefficient : kNumerator) p = hn::MulAdd(p, square, hn::Set(kTag, coefficient));
  for (const float coefficient : kDenominator) q = hn::MulAdd(q, square, hn::Set(kTag, coefficient));
  const V share = hn::MulAdd(hn::Mul(near, p), reciprocal_of_large(q), hn::Set(kTag, 0.5f));
  return hn::Mul(floor, hn::Max(share, hn::Zero(kTag)));
}

/// (1 + tanh(u)) / 2 is sigmoid(2u).
HWY_INLINE V gelu_tanh(V x) {
  const V cubic = hn::MulAdd(hn::Mul(x, x), hn::Set(kTag, 0.0713548163f), hn::Set(kTag, 1.59576912f));
  return hn::Mul(x, sigmoid(hn::Mul(x, cubic)));
}

/// y(x, c) for the vectors of all pixels, c being the channel of the slopes.
template <typename Function>
HWY_INLINE void for_vectors(const PointwiseRun& run, const Function& y) {
  const float* x = run.input;
  float* out = run.output;
  for (std::ptrdiff_t p = 0; p < run.pixels; ++p, x += run.input_stride, out += run.output_stride) {
    for (int c = 0; c < run.channels; c += kLanes)
      hn::StoreU(y(hn::LoadU(kTag, x + c), run.channel + c), kTag, out + c);
  }
}

using Kind = PointwiseFunction::Kind;

template <Kind kKind>
void pointwise_loop(const PointwiseFunction& function, const PointwiseRun& run) {
  const V a = hn::Set(kTag, function.a), b = hn::Set(kTag, function.b), zero = hn::Zero(kTag);
  for_vectors(run, [&](V x, [[maybe_unused]] int c) HWY_ATTR {
    if constexpr (kKind == Kind::clip) return hn::Min(hn::Max(x, a), b);
    if constexpr (kKind == Kind::leaky_relu) return hn::IfThenElse(hn::Ge(x, zero), x, hn::Mul(a, x));
    if constexpr (kKind == Kind::prelu) {
      const V below = hn::Mul(x, hn::LoadU(kTag, function.slope + c));
      return hn::IfThenElse(hn::Ge(x, zero), x, below);
    }
    if constexpr (kKind == Kind::hard_sigmoid) return unit_clip(hn::MulAdd(a, x, b));
    if constexpr (kKind == Kind::hard_swish) {
      return hn::Mul(x, unit_clip(hn::MulAdd(x, hn::Set(kTag, 1.0f / 6), hn::Set(kTag, 0.5f))));
    }
    if constexpr (kKind == Kind::sigmoid) return sigmoid(x);
    if constexpr (kKind == Kind::silu) return silu(x);
    if constexpr (kKind == Kind::tanh) return hn::Tanh(kTag, limited(x, 20.0f));
    if constexpr (kKind == Kind::elu) return elu(x, a);
    if constexpr (kKind == Kind::selu) return hn::Mul(b, elu(x, a));
    if constexpr (kKind == Kind::softplus) return softplus(x);
    if constexpr (kKind == Kind::mish) return mish(x);
    if constexpr (kKind == Kind::erf) return erf(x);
    if constexpr (kKind == Kind::gelu) return gelu(x);
    if constexpr (kKind == Kind::gelu_tanh) return gelu_tanh(x);
    if constexpr (kKind == Kind::sqrt) return hn::Sqrt(x);
    if constexpr (kKind == Kind::reciprocal) return hn::Div(hn::Set(kTag, 1.0f), x);
  });
}

PointwiseLoop find_pointwise_loop(Kind kind) {
  switch (kind) {
    case Kind::none:
      break;
    case Kind::clip:
      return pointwise_loop<Kind::clip>;
    case Kind::leaky_relu:
      return pointwise_loop<Kind::leaky_relu>;
    case Kind::prelu:
      return pointwise_loop<Kind::prelu>;
    case Kind::hard_sigmoid:
      return pointwise_loop<Kind::hard_sigmoid>;
    case Kind::hard_swish:
      return pointwise_loop<Kind::hard_swish>;
    case Kind::sigmoid:
      return pointwise_loop<Kind::sigmoid>;
    case Kind::silu:
      return pointwise_loop<Kind::silu>;
    case Kind::tanh:
      return pointwise_loop<Kind::tanh>;
    case Kind::elu:
      return pointwise_loop<Kind::elu>;
    case Kind::selu:
      return pointwise_loop<Kind::selu>;
    case Kind::softplus:
      return pointwise_loop<Kind::softplus>;
    case Kind::mish:
      return pointwise_loop<Kind::mish>;
    case Kind::erf:
      return pointwise_loop<Kind::erf>;
    case Kind::gelu:
      return pointwise_loop<Kind::gelu>;
    case Kind::gelu_tanh:
      return pointwise_loop<Kind::gelu_tanh>;
    case Kind::sqrt:
      return pointwise_loop<Kind::sqrt>;
    case Kind::reciprocal:
      return pointwise_loop<Kind::reciprocal>;
  }
  return nullptr;
}

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace concertina::kernels {

HWY_EXPORT(find_pointwise_loop);

FusedFunction fused(const PointwiseFunction& function) {
  return {function, HWY_DYNAMIC_DISPATCH(find_pointwise_loop)(function.kind)};
}

}  // namespace concertina::kernels
#endif
