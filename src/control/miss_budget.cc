#include "control/miss_budget.h"

#include <algorithm>
#include <cmath>

namespace concertina::control {
namespace {

constexpr double kStep = 0.3;
constexpr double kLeast = -3;    // a twentieth of what is asked for
constexpr double kMost = 2.303;  // ten times it
constexpr double kMaxRisk = 0.5;

}  // namespace

double MissBudget::risk(double quantile) const {
  return std::min((1 - quantile) * multiplier_, kMaxRisk);
}

void MissBudget::observe(double quantile, bool late, bool refused) {
  if (!late && !refused) return;
  correction_ = std::clamp(correction_ + kStep * ((1 - quantile) - (late ? 1 : 0)), kLeast, kMost);
  multiplier_ = std::exp(correction_);
}

}  // namespace concertina::control
