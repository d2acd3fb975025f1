#include "kernels/machine_limits.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>
#include <vector>

#include "base/page_memory.h"
#include "kernels/bf16_conv.h"
#include "kernels/bf16_unit.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/machine_limits.cc"
#include "hwy/foreach_target.h"  // must come before highway.h
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// Twelve independent chains, enough to hide the latency of an instruction with two units. Returns the
/// operations done; the sum goes to `sink` so that nothing is left out.
double multiply_adds(int turns, float* sink) {
  const hn::ScalableTag<float> d;
  const auto m = hn::Set(d, 0.999999f);
  const auto a = hn::Set(d, 1e-6f);
  auto x0 = hn::Set(d, 0.0f), x1 = hn::Set(d, 0.1f), x2 = hn::Set(d, 0.2f), x3 = hn::Set(d, 0.3f);
  auto x4 = hn::Set(d, 0.4f), x5 = hn::Set(d, 0.5f), x6 = hn::Set(d, 0.6f), x7 = hn::Set(d, 0.7f);
  auto x8 = hn::Set(d, 0.8f), x9 = hn::Set(d, 0.9f), xa = hn::Set(d, 1.0f), xb = hn::Set(d, 1.1f);
  for (int i = 0; i < turns; ++i) {
    x0 = hn::MulAdd(x0, m, a), x1 = hn::MulAdd(x1, m, a), x2 = hn::MulAdd(x2, m, a);
    x3 = hn::MulAdd(x3, m, a), x4 = hn::MulAdd(x4, m, a), x5 = hn::MulAdd(x5, m, a);
    x6 = hn::MulAdd(x6, m, a), x7 = hn::MulAdd(x7, m, a), x8 = hn::MulAdd(x8, m, a);
    x9 = hn::MulAdd(x9, m, a), xa = hn::MulAdd(xa, m, a), xb = hn::MulAdd(xb, m, a);
  }
  const auto sum = x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9 + xa + xb;
  *sink = hn::GetLane(hn::SumOfLanes(d, sum));
  return 2.0 * 12 * static_cast<double>(hn::Lanes(d)) * turns;
}

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace concertina::kernels {
namespace {

HWY_EXPORT(multiply_adds);

constexpr std::size_t kBytes = std::size_t{64} << 20;

double copies_per_second(const PageMemory& from, PageMemory& to) {
  double best = 0;
  for (int attempt = 0; attempt < 6; ++attempt) {  // the first touches the pages
    const auto start = std::chrono::steady_clock::now();
    std::memcpy(to.data(), from.data(), kBytes);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    static_cast<char*>(from.data())[attempt] = static_cast<char*>(to.data())[kBytes - 1];  // not left out
    best = std::max(best, 1 / took.count());
  }
  return best;
}

}  // namespace

double peak_gflops() {
  double best = 0;
  for (int attempt = 0; attempt < 20; ++attempt) {
    volatile float sink = 0;
    float result = 0;
    const auto start = std::chrono::steady_clock::now();
    const double operations = HWY_DYNAMIC_DISPATCH(multiply_adds)(500'000, &result);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    sink = result;
    static_cast<void>(sink);
    best = std::max(best, operations / took.count() / 1e9);
  }
  return best;
}

double bf16_peak_gflops() {
  const Bf16Unit* unit = best_bf16_unit();
  if (unit == nullptr) return peak_gflops();
  constexpr int kChannels = 256, kTurns = 2000;
  const std::ptrdiff_t tap = 0;
  const ChannelRange range{.count = kChannels};
  const std::vector<std::uint16_t> input(static_cast<std::size_t>(unit->pixels) * kChannels);
  const std::vector<std::uint32_t> weights(kChannels * kBf16Panel);
  std::vector<float> sums(static_cast<std::size_t>(unit->pixels) * 2 * kBf16Panel);
  const std::uint32_t* second = weights.data() + kChannels / 2 * kBf16Panel;
  const Bf16Panels panels{{&tap, 1}, {&range, 1}, kChannels, weights.data(), kChannels / 2, second};
  double best = 0;
  for (int attempt = 0; attempt < 20; ++attempt) {
    unit->begin();
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kTurns; ++i) unit->products(panels, input.data(), unit->pixels, sums.data());
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    unit->end();
    best = std::max(best, 2e-9 * unit->pixels * 2 * kBf16Panel * kChannels * kTurns / took.count());
  }
  return best;
}

double memory_gbytes_per_second() {
  try {
    const PageMemory from(kBytes);
    PageMemory to(kBytes);
    std::memset(from.data(), 1, kBytes);  // pages of zeros are one page
    return copies_per_second(from, to) * 2 * static_cast<double>(kBytes) / 1e9;
  } catch (const std::bad_alloc&) {
    return 0;
  }
}

}  // namespace concertina::kernels
#endif
