#include "recipe/schedule.h"

#include <cmath>
#include <numbers>

namespace concertina::recipe {
namespace {

double half_cosine(double from, double to, double progress) {
  return to + (from - to) * 0.5 * (1 + std::cos(std::numbers::pi * progress));
}

}  // namespace

double schedule_factor(Schedule schedule, double progress) {
  switch (schedule) {
    case Schedule::one_cycle: {
      constexpr double kWarmUp = 0.3, kStart = 1.0 / 25, kEnd = 1e-4;
      if (progress < kWarmUp) return kStart + (1 - kStart) * progress / kWarmUp;
      return half_cosine(1, kEnd, (progress - kWarmUp) / (1 - kWarmUp));
    }
    case Schedule::linear:
      return 1 - progress;
    case Schedule::cosine:
      return half_cosine(1, 0, progress);
  }
  return 0;
}

}  // namespace concertina::recipe
