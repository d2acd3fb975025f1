#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "control/policy.h"
#include "simulation/metrics.h"

namespace concertina::simulation {

/// What answers requests, one after the other: the machine, or a model of it.
class Server {
 public:
  virtual ~Server() = default;
  virtual const Clock& clock() const = 0;
  /// Returns when it is that late, at once if it is later.
  virtual void wait_until(Time time) = 0;
  /// Runs the sub-net for the request with this index, to its end.
  virtual Status run(int subnet, std::size_t request) = 0;
};

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
