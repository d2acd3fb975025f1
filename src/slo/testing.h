#pragma once

#include "slo/designs.h"

namespace concertina::testing {

/// Runs that mostly take `ms`; one in a hundred takes up to twice as long.
inline latency::TimeQuantiles times_around(double ms) {
  return latency::TimeQuantiles({0.9 * ms, 0.95 * ms, ms, 1.05 * ms, 1.1 * ms, 1.15 * ms, 1.2 * ms, 2 * ms});
}

inline slo::Candidate make_candidate(int subnet, double accuracy, double ms, int threads = 1, int batch = 1) {
  return {.design = {.subnet = subnet, .threads = threads, .batch = batch},
          .accuracy = accuracy,
          .macs = 1e6 * ms,
          .memory = 1000.0 * batch,
          .times = times_around(ms)};
}

inline slo::Bound latency_bound(double quantile, double ms) {
  return {{slo::Metric::latency, quantile}, ms};
}

}  // namespace concertina::testing
