#pragma once

#include <span>
#include <vector>

#include "scheduler/executor.h"
#include "scheduler/scheduling_policy.h"

namespace concertina::scheduler {

/// What became of a request.
struct JobRecord {
  Job job;       ///< as it left the queue
  Time left{0};  ///< when it did
  bool shed = false;

  bool in_time() const { return !shed && left <= job.deadline; }
};

struct ScheduleLog {
  std::vector<JobRecord> records;  ///< one for each arrival, in the order in which they left
  int preemptions = 0;             ///< a run that has not ended is followed by a step of another job
  int restarts = 0;                ///< a run that has begun begins anew at another size
  int steps = 0;
  Time deciding{0};  ///< between steps, on the executor's clock: choices and what goes with them
  Time ended{0};
};

/// Serves requests to the last one. The same for the simulation and the runtime. Fails if the executor does,
/// or if the policy asks for what cannot be: to begin a second run of a model, or a size that it does not
/// have. Preconditions: arrivals in the order of time, of models there are; each model has a size.
Result<ScheduleLog> run_schedule(std::span<const ModelCost> models, std::span<const Arrival> arrivals,
                                 SchedulingPolicy& policy, StepExecutor& executor);

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
ScheduleMetrics measure(const ScheduleLog& log, std::span<const ModelCost> models);

}  // namespace concertina::scheduler
