#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "concertina/result.h"
#include "scheduler/job.h"
#include "simulation/arrivals.h"

namespace concertina::simulation {

/// A request for one answer.
struct Arrival {
  int model = 0;
  Time at{0};
  Time deadline{0};
};

struct RequestOptions {
  ArrivalProcess process = PoissonArrivals{};
  double load = 1;                ///< time that the requests need at the full sizes, of the time there is
  int requests = 2000;            ///< of all models
  double deadline_multiple = 10;  ///< of a model's isolated time, from the arrival to the deadline
  std::uint64_t seed = 1;
};

/// Requests to come, in the order of time. Each is for any of the models alike: of Poisson arrivals, every
/// model's are a Poisson process of the same rate. Fails as make_arrivals() does. Precondition: there is a
/// model, and all have been timed.
Result<std::vector<Arrival>> make_requests(std::span<const scheduler::ModelCost> models,
                                           const RequestOptions& options);

}  // namespace concertina::simulation
