#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "control/scheduler/job.h"

namespace concertina::control {

struct PoissonOptions {
  double load = 1;                ///< time that the requests need at the full sizes, of the time there is
  int requests = 2000;            ///< of all models
  double deadline_multiple = 10;  ///< of a model's isolated time, from the arrival to the deadline
  std::uint64_t seed = 1;
};

/// Requests to come: for each model a Poisson process, all of the same rate. In the order of time.
std::vector<Arrival> poisson_arrivals(std::span<const ModelCost> models, const PoissonOptions& options);

}  // namespace concertina::control
