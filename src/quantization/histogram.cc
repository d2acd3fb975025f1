#include "quantization/histogram.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace concertina::quantization {

std::optional<float> Ends::add(std::span<const float> values) {
  // Several at a time, which compilers turn into vectors.
  constexpr std::size_t kLanes = 16;
  float low[kLanes], high[kLanes], odd[kLanes] = {};
  std::fill_n(low, kLanes, low_);
  std::fill_n(high, kLanes, high_);
  const auto take = [&](std::size_t lane, float value) {
    low[lane] = value < low[lane] ? value : low[lane];
    high[lane] = value > high[lane] ? value : high[lane];
    odd[lane] += value - value;  // NaN from what is not finite, else 0
  };
  std::size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane) take(lane, values[i + lane]);
  for (; i < values.size(); ++i) take(0, values[i]);
  if (std::any_of(odd, odd + kLanes, [](float value) { return std::isnan(value); })) {
    return *std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
  }
  low_ = *std::min_element(low, low + kLanes);
  high_ = *std::max_element(high, high + kLanes);
  return std::nullopt;
}

Interval Ends::interval() const {
  return {low_ + 0.0F, high_ + 0.0F};  // of 0 and -0 the order would decide
}

Histogram::Histogram(const Interval& ends)
    : ends_(ends), width_((static_cast<double>(ends.high) - ends.low) / kBins), counts_(kBins) {}

void Histogram::add(std::span<const float> values) {
  const double bins = width_ > 0 ? 1 / width_ : 0;
  for (const float value : values) {
    const int bin = static_cast<int>((static_cast<double>(value) - ends_.low) * bins);
    ++counts_[static_cast<std::size_t>(std::min(bin, kBins - 1))];
  }
}

std::int64_t Histogram::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0});
}

}  // namespace concertina::quantization
