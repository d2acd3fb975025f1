#include "kernels/training/batch_norm.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/training/batch_norm.cc"
// clang-format off
#include "hwy/foreach_target.h"  // must come before the rest
#include "hwy/highway.h"
#include "kernels/training/map_values-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

constexpr hn::ScalableTag<float> kTag;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(kTag));

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

/// One place in the maps: a vector of elements of type T, or a single one, and the same lanes of a period.
template <typename T, class D>
struct Place {
  D d;
  std::ptrdiff_t element;
  int lane;

  HWY_INLINE hn::Vec<D> read(const void* map) const { return load(d, static_cast<const T*>(map) + element); }
  HWY_INLINE void write(hn::Vec<D> v, void* map) const { store(d, v, static_cast<T*>(map) + element); }
  HWY_INLINE hn::Vec<D> of(const float* period) const { return hn::LoadU(d, period + lane); }
  HWY_INLINE void set(hn::Vec<D> v, float* period) const { hn::StoreU(v, d, period + lane); }

  /// dy, or 0 where ReLU held y back.
  HWY_INLINE hn::Vec<D> gradient(const void* dy, const void* y) const {
    const auto g = read(dy);
    return y == nullptr ? g : hn::IfThenElseZero(hn::Gt(read(y), hn::Zero(d)), g);
  }
};

template <typename T, class Body>
HWY_INLINE void sweep_of(std::ptrdiff_t pixels, int channels, const Body& body) {
  using Vector = Place<T, hn::ScalableTag<float>>;
  const std::ptrdiff_t count = pixels * channels;
  const int length = period(channels);
  std::ptrdiff_t i = 0;
  for (; i + length <= count; i += length) {
    for (int j = 0; j < length; j += kLanes) body(Vector{kTag, i + j, j});
  }
  int j = 0;
  for (; i + kLanes <= count; i += kLanes, j += kLanes) body(Vector{kTag, i, j});
  for (; i < count; ++i, ++j) body(Place<T, hn::CappedTag<float, 1>>{{}, i, j});
}

/// Calls body(place) for vectors of elements, and for single ones at the end.
template <class Body>
HWY_INLINE void sweep(const TrainingMap& map, const Body& body) {
  if (map.element == Element::bf16) return sweep_of<Bf16>(map.pixels, map.channels, body);
  sweep_of<float>(map.pixels, map.channels, body);
}

// What the bodies below read at every place is captured by value: a store could be to anything else.

void moments(const MomentsArgs& a) {
  const auto origins = repeated(a.origin, a.map.channels);
  std::vector<float> all_sums(origins.size()), all_squares(origins.size());
  sweep(a.map, [x = a.x, origin = origins.data(), sums = all_sums.data(),
                squares = all_squares.data()](const auto& at) HWY_ATTR {
    const auto v = hn::Sub(at.read(x), at.of(origin));
    at.set(hn::Add(at.of(sums), v), sums);
    at.set(hn::MulAdd(v, v, at.of(squares)), squares);
  });
  fold(all_sums, a.map.channels, a.sums);
  fold(all_squares, a.map.channels, a.squares);
}

void apply_norm(const ApplyNormArgs& a) {
  const auto scales = repeated(a.scale, a.map.channels), shifts = repeated(a.shift, a.map.channels);
  sweep(a.map, [x = a.x, residual = a.residual, scale = scales.data(), shift = shifts.data(), relu = a.relu,
                y = a.y](const auto& at) HWY_ATTR {
    auto v = hn::MulAdd(at.read(x), at.of(scale), at.of(shift));
    if (residual != nullptr) v = hn::Add(v, at.read(residual));
    at.write(relu ? hn::IfThenZeroElse(hn::Lt(v, hn::Zero(at.d)), v) : v, y);  // a NaN stays one
  });
}

void gradient_moments(const GradientMomentsArgs& a) {
  const auto means = repeated(a.mean, a.map.channels);
  std::vector<float> all_sums(means.size()), all_products(means.size());
  sweep(a.map, [x = a.x, y = a.y, dy = a.dy, mean = means.data(), sums = all_sums.data(),
                products = all_products.data(), kept = a.g](const auto& at) HWY_ATTR {
    const auto g = at.gradient(dy, y);
    if (kept != nullptr) at.write(g, kept);
    const auto centred = hn::Sub(at.read(x), at.of(mean));
    at.set(hn::Add(at.of(sums), g), sums);
    at.set(hn::MulAdd(g, centred, at.of(products)), products);
  });
  fold(all_sums, a.map.channels, a.sums);
  fold(all_products, a.map.channels, a.products);
}

void input_gradient(const InputGradientArgs& a) {
  const auto of_gradients = repeated(a.of_gradient, a.map.channels),
             of_inputs = repeated(a.of_input, a.map.channels),
             constants = repeated(a.constant, a.map.channels);
  sweep(a.map, [x = a.x, y = a.y, dy = a.dy, of_gradient = of_gradients.data(), of_input = of_inputs.data(),
                constant = constants.data(), dx = a.dx](const auto& at) HWY_ATTR {
    const auto from_input = hn::MulAdd(at.read(x), at.of(of_input), at.of(constant));
    at.write(hn::MulAdd(at.gradient(dy, y), at.of(of_gradient), from_input), dx);
  });
}

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace concertina::kernels {
HWY_EXPORT(moments);
HWY_EXPORT(apply_norm);
HWY_EXPORT(gradient_moments);
HWY_EXPORT(input_gradient);

void moments(const MomentsArgs& args) {
  HWY_DYNAMIC_DISPATCH(moments)(args);
}

void apply_norm(const ApplyNormArgs& args) {
  HWY_DYNAMIC_DISPATCH(apply_norm)(args);
}

void gradient_moments(const GradientMomentsArgs& args) {
  HWY_DYNAMIC_DISPATCH(gradient_moments)(args);
}

void input_gradient(const InputGradientArgs& args) {
  HWY_DYNAMIC_DISPATCH(input_gradient)(args);
}

}  // namespace concertina::kernels
#endif
