#pragma once

#include <span>
#include <vector>

#include "scheduler/step_loop.h"
#include "simulation/scheduling/requests.h"

namespace concertina::simulation {

struct ScheduleLog {
  std::vector<scheduler::JobRecord> records;  ///< one for each arrival, in the order in which they left
  scheduler::StepCounts counts;
  Time ended{0};
};

/// Serves requests to the last one, on a simulated machine or on the runtime. Fails as StepLoop::turn() does.
/// Preconditions: arrivals in the order of time, of models there are; each model has a size.
Result<ScheduleLog> run_schedule(std::span<const scheduler::ModelCost> models,
                                 std::span<const Arrival> arrivals, scheduler::SchedulingPolicy& policy,
                                 scheduler::StepExecutor& executor);

/// What a schedule was worth. Shares are 0 .. 1, of all requests unless it says otherwise.
struct ScheduleMetrics {
  double violations = 0;  ///< late or shed
  double shed = 0;
  double antt = 0;           ///< mean over answers of (answer - arrival) / isolated time of the model
  double throughput = 0;     ///< answers a second
  double accuracy = 0;       ///< mean of the answers
  double accuracy_lost = 0;  ///< mean of the answers: that of the full size less theirs
  double useful = 0;         ///< expected right answers in time
  double preemptions = 0;    ///< for each request
  double restarts = 0;       ///< for each request
  double decision_us = 0;    ///< mean for each step
};

/// Precondition: the log has a record. What is a mean over answers is 0 if there are none.
ScheduleMetrics measure(const ScheduleLog& log, std::span<const scheduler::ModelCost> models);

}  // namespace concertina::simulation
