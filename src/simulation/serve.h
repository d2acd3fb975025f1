#pragma once

#include <span>
#include <vector>

#include "control/policy.h"
#include "simulation/metrics.h"
#include "simulation/server.h"

namespace concertina::simulation {

struct ServeOptions {
  Time deadline{0};  ///< from each arrival
  double quantile = 0.99;
  double min_accuracy = 0;
};

/// Lets `policy` answer requests that arrive at these times after the start, in their order. One whose
/// deadline has passed when its turn comes is not run, whatever the policy. Returns an outcome for each
/// request, times since the start. Precondition: arrivals ascend.
Result<std::vector<Outcome>> serve(std::span<const Time> arrivals, const ServeOptions& options,
                                   control::Policy& policy, Server& server);

}  // namespace concertina::simulation
