#include "kernels/activate.h"

#include "kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/activate.cc"
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
  for_pixels(args.pixels, args.channels, pool, [&](std::ptrdiff_t p) HWY_ATTR {
    const float* x = args.input + p * args.input_stride;
    float* out = args.output + p * args.output_stride;
    for (int c = 0; c < args.channels; c += kLanes) hn::StoreU(apply(hn::LoadU(kTag, x + c)), kTag, out + c);
  });
}

void activate_pixels(const ActivateArgs& args, ThreadPool& pool) {
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

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace concertina::kernels {
namespace {

HWY_EXPORT(activate_pixels);

}  // namespace

void activate(const ActivateArgs& args, ThreadPool& pool) {
  HWY_DYNAMIC_DISPATCH(activate_pixels)(args, pool);
}

}  // namespace concertina::kernels
#endif
