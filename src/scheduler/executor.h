#pragma once

#include "concertina/result.h"
#include "scheduler/job.h"

namespace concertina::scheduler {

/// What runs the steps that a scheduler decides on: the runtime, or a simulation of it.
class StepExecutor {
 public:
  virtual ~StepExecutor() = default;

  /// Since the executor was made or its clock restarted.
  virtual Time now() const = 0;
  virtual void wait_until(Time moment) = 0;

  /// Starts the job's model at job.size; a run of the same model that has not ended is abandoned.
  virtual Status begin(const Job& job) = 0;
  /// Runs the next step, number job.done, of the job that was begun last of its model.
  virtual Status step(const Job& job) = 0;
};

}  // namespace concertina::scheduler
