#include "kernels/training_norm.h"

#include <cstdint>
#include <numeric>
#include <type_traits>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/training_norm.cc"
// clang-format off
#include "hwy/foreach_target.h"  // must come before the rest
#include "hwy/highway.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Bf16 = std::uint16_t;

constexpr hn::ScalableTag<float> kTag;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(kTag));

template <class D>
HWY_INLINE hn::Vec<D> load(D d, const float* p) {
  return hn::LoadU(d, p);
}

template <class D>
HWY_INLINE hn::Vec<D> load(D d, const Bf16* p) {
  const hn::Rebind<std::uint16_t, D> narrow;
  const hn::Rebind<std::uint32_t, D> wide;
  return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(wide, hn::LoadU(narrow, p))));
}

template <class D>
HWY_INLINE void store(D d, hn::Vec<D> v, float* p) {
  hn::StoreU(v, d, p);
}

/// Rounds to the nearest, ties to even.
template <class D>
HWY_INLINE void store(D, hn::Vec<D> v, Bf16* p) {
  const hn::Rebind<std::uint16_t, D> narrow;
  const hn::Rebind<std::uint32_t, D> bits;
  const hn::Rebind<std::int32_t, D> integer;
  const auto exact = hn::BitCast(bits, v);
  const auto odd = hn::And(hn::ShiftRight<16>(exact), hn::Set(bits, 1));
  const auto rounded = hn::Add(exact, hn::Add(odd, hn::Set(bits, 0x7FFF)));
  hn::StoreU(hn::DemoteTo(narrow, hn::BitCast(integer, hn::ShiftRight<16>(rounded))), narrow, p);
}

/// Floats after which vectors meet the same channels in the same lanes again; long enough that sums kept in
/// memory do not wait for each other.
int period(int channels) {
  constexpr int kMinVectors = 8;
  const int shortest = channels / std::gcd(channels, kLanes) * kLanes;
  return shortest * std::max(1, kMinVectors * kLanes / shortest);
}

/// values[c] at each place of a period where channel c is.
std::vector<float> repeated(const float* values, int channels) {
  std::vector<float> all(static_cast<std::size_t>(period(channels)));
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = values[i % static_cast<std::size_t>(channels)];
  return all;
}

/// The inverse: adds up what belongs to one channel.
void fold(const std::vector<float>& all, int channels, float* sums) {
  std::fill(sums, sums + channels, 0.0F);
  for (std::size_t i = 0; i < all.size(); ++i) sums[i % static_cast<std::size_t>(channels)] += all[i];
}

/// Calls body(tag, element, its place in the period) for vectors of elements, and for single ones at the end.
template <class Body>
HWY_INLINE void sweep(std::ptrdiff_t pixels, int channels, const Body& body) {
  const std::ptrdiff_t count = pixels * channels;
  const int length = period(channels);
  std::ptrdiff_t i = 0;
  for (; i + length <= count; i += length) {
    for (int j = 0; j < length; j += kLanes) body(kTag, i + j, j);
  }
  int j = 0;
  for (; i + kLanes <= count; i += kLanes, j += kLanes) body(kTag, i, j);
  for (; i < count; ++i, ++j) body(hn::CappedTag<float, 1>(), i, j);
}

template <class D>
HWY_INLINE void accumulate(D d, hn::Vec<D> v, float* sum) {
  hn::StoreU(hn::Add(hn::LoadU(d, sum), v), d, sum);
}

template <typename T>
struct Moments {
  const T* x;
  const float* origin;
  float* sums;
  float* squares;

  template <class D>
  HWY_INLINE void operator()(D d, std::ptrdiff_t i, int j) const {
    const auto v = hn::Sub(load(d, x + i), hn::LoadU(d, origin + j));
    accumulate(d, v, sums + j);
    hn::StoreU(hn::MulAdd(v, v, hn::LoadU(d, squares + j)), d, squares + j);
  }
};

template <typename T>
struct Normalize {
  const T* x;
  const float* scale;
  const float* shift;
  bool relu;
  T* y;

  template <class D>
  HWY_INLINE void operator()(D d, std::ptrdiff_t i, int j) const {
    const auto v = hn::MulAdd(load(d, x + i), hn::LoadU(d, scale + j), hn::LoadU(d, shift + j));
    store(d, relu ? hn::Max(v, hn::Zero(d)) : v, y + i);
  }
};

/// dy, or 0 where ReLU held y back.
template <class D, typename T>
HWY_INLINE hn::Vec<D> gradient(D d, const T* dy, const T* y, std::ptrdiff_t i) {
  const auto g = load(d, dy + i);
  return y == nullptr ? g : hn::IfThenElseZero(hn::Gt(load(d, y + i), hn::Zero(d)), g);
}

template <typename T>
struct GradientMoments {
  const T* x;
  const T* y;
  const T* dy;
  const float* mean;
  float* sums;
  float* products;

  template <class D>
  HWY_INLINE void operator()(D d, std::ptrdiff_t i, int j) const {
    const auto g = gradient(d, dy, y, i);
    const auto centred = hn::Sub(load(d, x + i), hn::LoadU(d, mean + j));
    accumulate(d, g, sums + j);
    hn::StoreU(hn::MulAdd(g, centred, hn::LoadU(d, products + j)), d, products + j);
  }
};

template <typename T>
struct InputGradient {
  const T* x;
  const T* y;
  const T* dy;
  const float* of_gradient;
  const float* of_input;
  const float* constant;
  T* dx;

  template <class D>
  HWY_INLINE void operator()(D d, std::ptrdiff_t i, int j) const {
    const auto from_input =
        hn::MulAdd(load(d, x + i), hn::LoadU(d, of_input + j), hn::LoadU(d, constant + j));
    store(d, hn::MulAdd(gradient(d, dy, y, i), hn::LoadU(d, of_gradient + j), from_input), dx + i);
  }
};

template <typename T>
const T* as(const void* p) {
  return static_cast<const T*>(p);
}

template <typename T>
void moments_of(const MomentsArgs& a) {
  const auto origin = repeated(a.origin, a.map.channels);
  std::vector<float> sums(origin.size()), squares(origin.size());
  sweep(a.map.pixels, a.map.channels, Moments<T>{as<T>(a.x), origin.data(), sums.data(), squares.data()});
  fold(sums, a.map.channels, a.sums);
  fold(squares, a.map.channels, a.squares);
}

template <typename T>
void normalize_of(const NormalizeArgs& a) {
  const auto scale = repeated(a.scale, a.map.channels), shift = repeated(a.shift, a.map.channels);
  sweep(a.map.pixels, a.map.channels,
        Normalize<T>{as<T>(a.x), scale.data(), shift.data(), a.relu, static_cast<T*>(a.y)});
}

template <typename T>
void gradient_moments_of(const GradientMomentsArgs& a) {
  const auto mean = repeated(a.mean, a.map.channels);
  std::vector<float> sums(mean.size()), products(mean.size());
  sweep(a.map.pixels, a.map.channels,
        GradientMoments<T>{as<T>(a.x), as<T>(a.y), as<T>(a.dy), mean.data(), sums.data(), products.data()});
  fold(sums, a.map.channels, a.sums);
  fold(products, a.map.channels, a.products);
}

template <typename T>
void input_gradient_of(const InputGradientArgs& a) {
  const auto of_gradient = repeated(a.of_gradient, a.map.channels),
             of_input = repeated(a.of_input, a.map.channels), constant = repeated(a.constant, a.map.channels);
  sweep(a.map.pixels, a.map.channels,
        InputGradient<T>{as<T>(a.x), as<T>(a.y), as<T>(a.dy), of_gradient.data(), of_input.data(),
                         constant.data(), static_cast<T*>(a.dx)});
}

void moments(const MomentsArgs& a) {
  a.map.element == Element::bf16 ? moments_of<Bf16>(a) : moments_of<float>(a);
}
void normalize(const NormalizeArgs& a) {
  a.map.element == Element::bf16 ? normalize_of<Bf16>(a) : normalize_of<float>(a);
}
void gradient_moments(const GradientMomentsArgs& a) {
  a.map.element == Element::bf16 ? gradient_moments_of<Bf16>(a) : gradient_moments_of<float>(a);
}
void input_gradient(const InputGradientArgs& a) {
  a.map.element == Element::bf16 ? input_gradient_of<Bf16>(a) : input_gradient_of<float>(a);
}

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace concertina::kernels {
namespace {

HWY_EXPORT(moments);
HWY_EXPORT(normalize);
HWY_EXPORT(gradient_moments);
HWY_EXPORT(input_gradient);

}  // namespace

void moments(const MomentsArgs& args) {
  HWY_DYNAMIC_DISPATCH(moments)(args);
}

void normalize(const NormalizeArgs& args) {
  HWY_DYNAMIC_DISPATCH(normalize)(args);
}

void gradient_moments(const GradientMomentsArgs& args) {
  HWY_DYNAMIC_DISPATCH(gradient_moments)(args);
}

void input_gradient(const InputGradientArgs& args) {
  HWY_DYNAMIC_DISPATCH(input_gradient)(args);
}

}  // namespace concertina::kernels
#endif
