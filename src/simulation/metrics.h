#pragma once

#include <span>
#include <vector>

#include "base/clock.h"
#include "control/policy.h"

namespace concertina::simulation {

/// What became of one request.
struct Outcome {
  Time arrival{0};
  Time deadline{0};
  Time start{0};  ///< of its run, if it was answered
  Time end{0};
  int subnet = control::Decision::kShed;

  bool answered() const { return subnet != control::Decision::kShed; }
  bool on_time() const { return answered() && end <= deadline; }
};

/// What a policy made of a stream of requests. Shares of nothing are 0.
struct Metrics {
  int requests = 0;
  int answered = 0;
  int on_time = 0;
  int shed = 0;
  double on_time_rate = 0;  ///< on_time / requests
  double accuracy = 0;      ///< mean over the on-time answers
  double yield = 0;         ///< on_time_rate * accuracy: right answers in time, of all requests
  double miss_rate = 0;     ///< late answers / answered
  double p50_ms = 0;        ///< of the response times, arrival to end, of all answers
  double p99_ms = 0;
  double p999_ms = 0;
  double switches_per_second = 0;  ///< an answer's sub-net is not that of the one before, between the first
                                   ///< arrival and the last end
  std::vector<double> shares;      ///< by sub-net, of the answers
};

/// `accuracies` are the sub-nets', 0 .. 1. Preconditions: outcomes are in the order in which they were run,
/// each sub-net has an accuracy.
Metrics measure(std::span<const Outcome> outcomes, std::span<const double> accuracies);

}  // namespace concertina::simulation
