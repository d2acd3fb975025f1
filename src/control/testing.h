#pragma once

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "control/policy.h"

namespace concertina::testing {

/// A sub-net whose quiet runs all take about `ms`.
inline control::SubnetProfile size(double accuracy, double ms) {
  return {.accuracy = accuracy,
          .times = latency::TimeQuantiles(
              {ms * 0.98, ms * 0.99, ms, ms * 1.01, ms * 1.02, ms * 1.03, ms * 1.04, ms * 1.05})};
}

/// Four sub-nets of 8, 4, 2 and 1 ms.
inline std::vector<control::SubnetProfile> four_sizes() {
  return {size(0.9, 8), size(0.88, 4), size(0.84, 2), size(0.76, 1)};
}

/// A standard normal number.
inline double normal(const CounterRandom& random, std::uint64_t counter) {
  const double u = random.uniform(2 * counter), v = random.uniform(2 * counter + 1);
  return std::sqrt(-2 * std::log(std::max(u, 1e-300))) * std::cos(2 * M_PI * v);
}

}  // namespace concertina::testing
