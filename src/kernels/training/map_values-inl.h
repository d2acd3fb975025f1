// Values of maps as vectors; included once for each target.
#if defined(CONCERTINA_MAP_VALUES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef CONCERTINA_MAP_VALUES_INL_H
#undef CONCERTINA_MAP_VALUES_INL_H
#else
#define CONCERTINA_MAP_VALUES_INL_H
#endif

#include <cstdint>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Bf16 = std::uint16_t;

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

/// Stores a vector, rounded to the nearest, ties to even; gives what was stored.
template <class D>
HWY_INLINE hn::Vec<D> stored(D d, hn::Vec<D> v, float* to) {
  hn::StoreU(v, d, to);
  return v;
}
template <class D>
HWY_INLINE hn::Vec<D> stored(D d, hn::Vec<D> v, Bf16* to) {
  const hn::Rebind<std::uint16_t, D> narrow;
  const hn::Rebind<std::uint32_t, D> bits;
  const hn::Rebind<std::int32_t, D> integer;
  const auto exact = hn::BitCast(bits, v);
  const auto odd = hn::And(hn::ShiftRight<16>(exact), hn::Set(bits, 1));
  const auto rounded = hn::ShiftRight<16>(hn::Add(exact, hn::Add(odd, hn::Set(bits, 0x7FFF))));
  hn::StoreU(hn::DemoteTo(narrow, hn::BitCast(integer, rounded)), narrow, to);
  return hn::BitCast(d, hn::ShiftLeft<16>(rounded));
}

template <class D, typename T>
HWY_INLINE void store(D d, hn::Vec<D> v, T* p) {
  stored(d, v, p);
}

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
