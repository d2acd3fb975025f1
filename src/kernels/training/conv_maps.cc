#include "kernels/training/conv_maps.h"

#include <algorithm>
#include <cstring>

#include "kernels/training/conv_unit.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/training/conv_maps.cc"
// clang-format off
#include "hwy/foreach_target.h"  // must come before the rest
#include "hwy/highway.h"
#include "kernels/training/map_values-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

constexpr int kPair = kPanelPair;

void widen(const Bf16* from, std::ptrdiff_t count, float* to) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::ptrdiff_t>(hn::Lanes(d));
  std::ptrdiff_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(load(d, from + i), d, to + i);
  const hn::CappedTag<float, 1> one;
  for (; i < count; ++i) hn::StoreU(load(one, from + i), one, to + i);
}

void load_values_of(const void* from, Element element, bool bf16, std::ptrdiff_t count, void* to) {
  if (bf16 == (element == Element::bf16)) {
    std::memcpy(to, from, static_cast<std::size_t>(count) * (bf16 ? sizeof(Bf16) : sizeof(float)));
  } else {
    widen(static_cast<const Bf16*>(from), count, static_cast<float*>(to));
  }
}

/// Some lanes of the channels, over all pixels of a block.
template <typename T, class D>
void store_lanes(D d, const StoreArgs& a, int channel) {
  const auto bias = a.bias ? hn::LoadU(d, a.bias + channel) : hn::Zero(d);
  T* to = static_cast<T*>(a.to) + channel;
  const float* from = a.sums + channel;
  if (a.moments == nullptr) {
    for (int p = 0; p < a.pixels; ++p, to += a.pixel, from += kPair)
      stored(d, hn::Add(hn::LoadU(d, from), bias), to);
    return;
  }
  const auto origin = hn::LoadU(d, a.moments + channel);
  auto sum = hn::LoadU(d, a.moments + kPair + channel),
       square = hn::LoadU(d, a.moments + 2 * kPair + channel);
  for (int p = 0; p < a.pixels; ++p, to += a.pixel, from += kPair) {
    const auto distance = hn::Sub(stored(d, hn::Add(hn::LoadU(d, from), bias), to), origin);
    sum = hn::Add(sum, distance);
    square = hn::MulAdd(distance, distance, square);
  }
  hn::StoreU(sum, d, a.moments + kPair + channel);
  hn::StoreU(square, d, a.moments + 2 * kPair + channel);
}

template <typename T>
void store_as(const StoreArgs& a) {
  const hn::CappedTag<float, kTrainingPanel> full;
  const int lanes = static_cast<int>(hn::Lanes(full));
  int c = 0;
  for (; c + lanes <= a.channels; c += lanes) store_lanes<T>(full, a, c);
  const hn::CappedTag<float, 4> four;
  for (; c + 4 <= a.channels; c += 4) store_lanes<T>(four, a, c);
  for (; c < a.channels; ++c) store_lanes<T>(hn::CappedTag<float, 1>{}, a, c);
}

void store_values_of(const StoreArgs& a) {
  a.element == Element::bf16 ? store_as<Bf16>(a) : store_as<float>(a);
}

void make_pairs_of(const Bf16* x, std::ptrdiff_t shift, std::ptrdiff_t count, std::uint32_t* to) {
  const hn::ScalableTag<std::uint32_t> d;
  const hn::Rebind<std::uint16_t, decltype(d)> narrow;
  const auto lanes = static_cast<std::ptrdiff_t>(hn::Lanes(d));
  std::ptrdiff_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto low = hn::PromoteTo(d, hn::LoadU(narrow, x + i));
    const auto high = hn::PromoteTo(d, hn::LoadU(narrow, x + i + shift));
    hn::StoreU(hn::Or(low, hn::ShiftLeft<16>(high)), d, to + i);
  }
  for (; i < count; ++i) to[i] = x[i] | static_cast<std::uint32_t>(x[i + shift]) << 16;
}

std::uint32_t pair_at(const Bf16* row, int column, int columns, std::ptrdiff_t pixel) {
  const std::uint32_t high = column + 1 < columns ? row[(column + 1) * pixel] : 0;
  return row[column * pixel] | high << 16;
}

void make_planes_of(const Bf16* row, int columns, int channels, std::ptrdiff_t pixel, std::ptrdiff_t plane,
                    std::uint32_t* to) {
  int c = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::CappedTag<std::uint32_t, 4> d;
  const hn::Rebind<std::uint16_t, decltype(d)> narrow;
  if (hn::Lanes(d) == 4) {
    for (; c + 4 <= channels; c += 4) {
      int column = 0;
      for (; column + 8 <= columns; column += 8) {
        const Bf16* const from = row + column * pixel + c;
        const auto pairs = [&](int i) HWY_ATTR {
          const auto low = hn::PromoteTo(d, hn::LoadU(narrow, from + 2 * i * pixel));
          const auto high = hn::PromoteTo(d, hn::LoadU(narrow, from + (2 * i + 1) * pixel));
          return hn::Or(low, hn::ShiftLeft<16>(high));
        };
        const auto a = pairs(0), b = pairs(1), e = pairs(2), f = pairs(3);
        const auto ab_low = hn::InterleaveLower(d, a, b), ab_high = hn::InterleaveUpper(d, a, b);
        const auto ef_low = hn::InterleaveLower(d, e, f), ef_high = hn::InterleaveUpper(d, e, f);
        const hn::Repartition<std::uint64_t, decltype(d)> wide;
        const auto w = [&](auto v) HWY_ATTR { return hn::BitCast(wide, v); };
        const auto n = [&](auto v) HWY_ATTR { return hn::BitCast(d, v); };
        std::uint32_t* const out = to + c * plane + column / 2;
        hn::StoreU(n(hn::InterleaveLower(wide, w(ab_low), w(ef_low))), d, out);
        hn::StoreU(n(hn::InterleaveUpper(wide, w(ab_low), w(ef_low))), d, out + plane);
        hn::StoreU(n(hn::InterleaveLower(wide, w(ab_high), w(ef_high))), d, out + 2 * plane);
        hn::StoreU(n(hn::InterleaveUpper(wide, w(ab_high), w(ef_high))), d, out + 3 * plane);
      }
      for (; column < columns; column += 2) {
        for (int k = c; k < c + 4; ++k) to[k * plane + column / 2] = pair_at(row + k, column, columns, pixel);
      }
    }
  }
#endif
  for (; c < channels; ++c) {
    for (int column = 0; column < columns; column += 2)
      to[c * plane + column / 2] = pair_at(row + c, column, columns, pixel);
  }
}

using PanelTag = hn::CappedTag<float, kTrainingPanel>;
constexpr PanelTag kPanelTag;

/// Rounds to the nearest bf16, which is left in the upper half; never to infinity. A NaN stays one.
template <class D>
HWY_INLINE hn::Vec<hn::RebindToUnsigned<D>> rounded_up(D d, hn::Vec<D> v) {
  const hn::RebindToUnsigned<D> bits;
  constexpr float kLargest = 3.3895313892515355e38F;  // of the finite ones
  const auto limited = hn::Min(hn::Max(v, hn::Set(d, -kLargest)), hn::Set(d, kLargest));
  const hn::RebindToUnsigned<D> no_number;
  const auto exact = hn::IfThenElse(hn::RebindMask(bits, hn::IsNaN(v)), hn::Set(no_number, 0x7FC00000U),
                                    hn::BitCast(bits, limited));
  const auto odd = hn::And(hn::ShiftRight<16>(exact), hn::Set(bits, 1));
  return hn::And(hn::Add(exact, hn::Add(odd, hn::Set(bits, 0x7FFF))), hn::Set(bits, 0xFFFF0000U));
}

/// Some lanes of k of all inputs.
template <class D, class Load>
HWY_INLINE void pack_lanes(D d, const PackArgs& a, int k, const Load& load_outputs) {
  const float* from = a.from + k * a.output;
  std::uint32_t* to = a.to + k;
  const hn::RebindToUnsigned<D> bits;
  if (!a.bf16) {
    for (int c = 0; c < a.inputs; ++c, from += a.input, to += a.step)
      hn::StoreU(hn::BitCast(bits, load_outputs(from)), bits, to);
    return;
  }
  for (int c = 0; c + 2 <= a.inputs; c += 2, from += 2 * a.input, to += a.step) {
    const auto low = rounded_up(d, load_outputs(from)), high = rounded_up(d, load_outputs(from + a.input));
    hn::StoreU(hn::Or(high, hn::ShiftRight<16>(low)), bits, to);
  }
  if (a.inputs % 2 != 0) hn::StoreU(hn::ShiftRight<16>(rounded_up(d, load_outputs(from))), bits, to);
}

void pack_weights_of(const PackArgs& a) {
  int k = 0;
  const int lanes = static_cast<int>(hn::Lanes(kPanelTag));
  if (a.output == 1) {
    for (; k + lanes <= a.outputs; k += lanes)
      pack_lanes(kPanelTag, a, k, [](const float* p) HWY_ATTR { return hn::LoadU(kPanelTag, p); });
  } else {
    const hn::RebindToSigned<PanelTag> integers;
    const auto places =
        hn::Mul(hn::Iota(integers, 0), hn::Set(integers, static_cast<std::int32_t>(a.output)));
    for (; k + lanes <= a.outputs; k += lanes)
      pack_lanes(kPanelTag, a, k,
                 [&](const float* p) HWY_ATTR { return hn::GatherIndex(kPanelTag, p, places); });
  }
  const hn::CappedTag<float, 1> one;
  for (; k < a.outputs; ++k)
    pack_lanes(one, a, k, [&](const float* p) HWY_ATTR { return hn::LoadU(one, p); });
}

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace concertina::kernels {
HWY_EXPORT(load_values_of);
HWY_EXPORT(store_values_of);
HWY_EXPORT(make_pairs_of);
HWY_EXPORT(make_planes_of);
HWY_EXPORT(pack_weights_of);

void load_values(const void* from, Element element, bool bf16, std::ptrdiff_t count, void* to) {
  HWY_DYNAMIC_DISPATCH(load_values_of)(from, element, bf16, count, to);
}

void store_values(const StoreArgs& args) {
  HWY_DYNAMIC_DISPATCH(store_values_of)(args);
}

void make_pairs(const std::uint16_t* x, std::ptrdiff_t shift, std::ptrdiff_t count, std::uint32_t* to) {
  HWY_DYNAMIC_DISPATCH(make_pairs_of)(x, shift, count, to);
}

void make_planes(const std::uint16_t* row, int columns, int channels, std::ptrdiff_t pixel,
                 std::ptrdiff_t plane, std::uint32_t* to) {
  HWY_DYNAMIC_DISPATCH(make_planes_of)(row, columns, channels, pixel, plane, to);
}

void pack_weights(const PackArgs& args) {
  HWY_DYNAMIC_DISPATCH(pack_weights_of)(args);
}

}  // namespace concertina::kernels
#endif
