#include "control/slow_down.h"

#include <algorithm>
#include <cmath>

namespace concertina::control {
namespace {

// Logarithms. What a quiet machine changes by from run to run, and in a second.
constexpr double kDriftPerRun = 1e-5;
constexpr double kDriftPerSecond = 1e-3;
constexpr double kMaxVariance = 0.25;
constexpr double kMinRunVariance = 1e-4;
constexpr double kMaxRunVariance = 0.04;
constexpr double kRunVarianceMemory = 1.0 / 64;
constexpr double kBiasMemory = 1.0 / 256;
constexpr double kMaxBias = 0.5;
constexpr double kMinSurprise = 0.15;
constexpr double kSurpriseDeviations = 4;
constexpr double kAlikeDeviations = 3;
constexpr double kAlikeShare = 0.25;
constexpr double kMaxOfTwo = 1.4;  // a factor of 4; runs that take longer have been interrupted, mostly
constexpr double kMaxLevel = 12;   // a factor of 160 000

}  // namespace

double SlowDown::factor(int subnet) const {
  return std::exp(level_ + bias_[subnet]);
}

double SlowDown::common() const {
  return std::exp(level_);
}

double SlowDown::noise() const {
  return std::sqrt(run_variance_);
}

void SlowDown::forget(Time now) {
  const double seconds = started_ ? std::clamp(to_ms(now - last_) / 1e3, 0.0, 1e3) : 0.0;
  variance_ = std::min(variance_ + kDriftPerRun + kDriftPerSecond * seconds, kMaxVariance);
  last_ = now;
  started_ = true;
}

bool SlowDown::suspect(double innovation) const {
  return std::abs(innovation) >
         std::max(kMinSurprise, kSurpriseDeviations * std::sqrt(variance_ + run_variance_));
}

/// Whether the runs that were not believed tell of a jump: two that agree on one that is not huge, or four on
/// one side.
bool SlowDown::jumps(double level) {
  const bool same_side = suspected_ > 0 && (suspects_[suspected_ - 1] > level_) == (level > level_);
  if (!same_side) suspected_ = 0;
  suspects_[suspected_++] = level;
  if (suspected_ == 1) return false;
  const double step = std::abs(level - level_), between = std::abs(level - suspects_[suspected_ - 2]);
  const double alike = std::min(kAlikeDeviations * std::sqrt(2 * run_variance_), kAlikeShare * step);
  return suspected_ == suspects_.size() || (between < alike && step < kMaxOfTwo);
}

void SlowDown::follow(int subnet, double innovation) {
  const double gain = variance_ / (variance_ + run_variance_);
  level_ = std::clamp(level_ + gain * innovation, -kMaxLevel, kMaxLevel);
  variance_ *= 1 - gain;
  run_variance_ += kRunVarianceMemory * (innovation * innovation - run_variance_);
  run_variance_ = std::clamp(run_variance_, kMinRunVariance, kMaxRunVariance);
  double& bias = bias_[subnet];
  bias = std::clamp(bias + kBiasMemory * innovation, -kMaxBias, kMaxBias);
}

SlowDown::Verdict SlowDown::observe(int subnet, double ratio, Time now) {
  forget(now);
  const double level = std::log(ratio) - bias_[subnet];
  const double innovation = level - level_;
  if (!suspect(innovation)) {
    suspected_ = 0;
    follow(subnet, innovation);
    return Verdict::usual;
  }
  if (!jumps(level)) return Verdict::suspect;
  // The least of those above, the greatest of those below: what an interruption has added is not the
  // machine's.
  const auto [least, most] = std::minmax_element(suspects_.begin(), suspects_.begin() + suspected_);
  level_ = std::clamp(level > level_ ? *least : *most, -kMaxLevel, kMaxLevel);
  variance_ = 2 * run_variance_;
  suspected_ = 0;
  return Verdict::jump;
}

}  // namespace concertina::control
