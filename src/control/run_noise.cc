#include "control/run_noise.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace concertina::control {
namespace {

constexpr double kMemory = 1.0 / 2000;  // runs
constexpr double kFactorBin = 0.01;     // logarithm
constexpr double kFactorStart = -0.64;
constexpr double kMinFactor = 0.5273;  // what the bins' logarithms begin and end with
constexpr double kMaxFactor = 1.8965;
constexpr double kDelayBin = 0.1733;  // a quarter of an octave
constexpr double kDelayStart = -5.3;  // 5 microseconds; the last bin ends at a minute and a half
constexpr double kMinInterruption = 0.05;
constexpr double kInterruptionDeviations = 4;

/// The bin of a logarithm, outside ones in the first and last.
std::size_t bin(double logarithm, double start, double width, std::size_t bins) {
  const double at = (logarithm - start) / width;
  if (!(at > 0)) return 0;
  return std::min(static_cast<std::size_t>(at), bins - 1);
}

}  // namespace

void RunNoise::forget(double weight) {
  const auto keep = static_cast<float>(1 - std::min(kMemory * weight, 0.5));
  for (float& count : factors_) count *= keep;
  for (float& count : delays_) count *= keep;
  run_ms_ *= keep;
  delayed_ms_ *= keep;
}

void RunNoise::sum_up() {
  float all = 0, sum = 0;
  for (const float count : factors_) all += count;
  for (std::size_t i = 0; i < kFactors; ++i) {
    sum += factors_[i];
    factor_within_[i] = all > 0 ? sum / all : 1;
  }
  float longer = 0;
  const auto time = static_cast<float>(std::max(run_ms_, 1e-9));
  for (std::size_t i = kDelays; i-- > 0;) {
    longer += delays_[i];
    delay_rate_[i] = longer / time;
  }
}

void RunNoise::observe(double expected, double took, double noise, double weight) {
  forget(weight);
  const double logarithm = std::log(took / expected);
  const double usual = std::max(kMinInterruption, kInterruptionDeviations * noise);
  run_ms_ += weight * expected;
  if (logarithm <= std::min(usual, kFactorStart + kFactorBin * kFactors)) {
    factors_[bin(logarithm, kFactorStart, kFactorBin, kFactors)] += static_cast<float>(weight);
  } else {
    const double delay = took - expected;
    delays_[bin(std::log(delay), kDelayStart, kDelayBin, kDelays)] += static_cast<float>(weight);
    delayed_ms_ += weight * delay;
  }
  sum_up();
}

/// The share of runs that take at most `ratio` times what is expected of them.
double RunNoise::factor_within(double ratio) const {
  if (!(ratio > kMinFactor)) return 0;
  if (ratio >= kMaxFactor) return factor_within_.back();
  const double at = (std::log(ratio) - kFactorStart) / kFactorBin;
  const std::size_t whole = bin(at, 0, 1, kFactors);
  const double below = whole > 0 ? factor_within_[whole - 1] : 0;
  return below + (at - static_cast<double>(whole)) * (factor_within_[whole] - below);
}

double RunNoise::within(double expected, double limit) const {
  const double factor = factor_within(limit / expected);
  if (!(factor > 0)) return 0;
  const double room = std::max(limit - expected, 0.0);
  const double rate = delay_rate_[bin(std::log(room), kDelayStart, kDelayBin, kDelays)];
  return rate > 0 ? factor * std::exp(-rate * expected) : factor;
}

/// The least ratio within which a share of runs lies.
double RunNoise::factor_needed(double share) const {
  const auto found =
      std::lower_bound(factor_within_.begin(), factor_within_.end(), static_cast<float>(share));
  if (found == factor_within_.end()) return std::numeric_limits<double>::infinity();
  const double below = found == factor_within_.begin() ? 0 : *(found - 1);
  const double part = std::clamp((share - below) / (*found - below), 0.0, 1.0);
  const auto whole = static_cast<double>(found - factor_within_.begin());
  return std::exp(kFactorStart + kFactorBin * (whole + part));
}

double RunNoise::needed(double expected, double probability, int& hint) const {
  static const std::array<double, kDelays> ends = [] {
    std::array<double, kDelays> edges{};
    for (std::size_t i = 0; i < kDelays; ++i)
      edges[i] = std::exp(kDelayStart + kDelayBin * static_cast<double>(i + 1));
    edges.back() = std::numeric_limits<double>::infinity();
    return edges;
  }();
  // With a room in bin i the rate of interruptions is that bin's; the longer the room, the lower the rate,
  // and the shorter the run may be. The first bin whose own need lies in it or before it has the answer.
  const auto limit = [&](int i) {
    return expected * factor_needed(probability * std::exp(delay_rate_[i] * expected));
  };
  const auto suffices = [&](int i) { return limit(i) < expected + ends[i]; };
  constexpr auto kBins = static_cast<int>(kDelays);
  hint = std::clamp(hint, 0, kBins - 1);
  while (hint > 0 && suffices(hint - 1)) --hint;
  while (hint < kBins && !suffices(hint)) ++hint;
  if (hint == kBins) return std::numeric_limits<double>::infinity();
  if (hint == 0) return limit(0);
  return std::max(limit(hint), expected + ends[hint - 1]);
}

void RunNoise::prefetch() const {
  constexpr std::size_t kLine = 64 / sizeof(float);
  for (std::size_t i = 0; i < kFactors; i += kLine) __builtin_prefetch(&factor_within_[i]);
  for (std::size_t i = 0; i < kDelays; i += kLine) __builtin_prefetch(&delay_rate_[i]);
}

double RunNoise::interrupted_share() const {
  return run_ms_ > 0 ? delayed_ms_ / run_ms_ : 0;
}

}  // namespace concertina::control
