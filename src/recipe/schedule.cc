#include "recipe/schedule.h"

#include <algorithm>

namespace concertina::recipe {

double schedule_factor(double progress) {
  constexpr double kWarmUp = 0.1, kStart = 1.0 / 25, kEnd = 1e-4;
  if (progress < kWarmUp) return kStart + (1 - kStart) * progress / kWarmUp;
  return std::max((1 - progress) / (1 - kWarmUp), kEnd);
}

}  // namespace concertina::recipe
