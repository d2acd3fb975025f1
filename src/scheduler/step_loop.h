#pragma once

#include <cstdint>
#include <optional>
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

/// What a loop has done so far.
struct StepCounts {
  std::int64_t preemptions = 0;  ///< a run that has not ended is followed by a step of another job
  std::int64_t restarts = 0;     ///< a run that has begun begins anew at another size
  std::int64_t steps = 0;
  Time deciding{0};  ///< between steps, on the executor's clock: choices and what goes with them
};

/// The queue, and the turns in which a policy works it off. The same for the simulation and the runtime.
class StepLoop {
 public:
  /// All must outlive it. Precondition: each model has a size.
  StepLoop(std::span<const ModelCost> models, SchedulingPolicy& policy, StepExecutor& executor)
      : models_(models), policy_(policy), executor_(executor), now_(executor.now()) {}

  /// When the last turn or wait ended, or the clock was looked at.
  Time now() const { return now_; }

  /// Returns when it is that late, at once if it is later.
  void wait_until(Time moment) {
    executor_.wait_until(moment);
    refresh();
  }

  /// Looks at the clock, if time has passed outside of the loop.
  void refresh() { now_ = executor_.now(); }

  /// Puts a job at the end of the queue. Precondition: it is of a model there is, not begun, and its id is
  /// larger than those before.
  void add(const Job& job) {
    queue_.push_back(job);
    changed_ = true;
  }

  std::span<const Job> queue() const { return queue_; }

  /// Has the policy choose, and sheds a job or runs a step of one. Gives the job that left with it, if one
  /// did. Fails if the executor does, or if the policy asks for what cannot be: to begin a second run of a
  /// model, or a size that it does not have. Precondition: the queue is not empty.
  Result<std::optional<JobRecord>> turn();

  const StepCounts& counts() const { return counts_; }

 private:
  Status check(const Action& action) const;
  JobRecord leave(int place, bool shed);
  const ModelCost& model_of(const Job& job) const { return models_[job.model]; }

  std::span<const ModelCost> models_;
  SchedulingPolicy& policy_;
  StepExecutor& executor_;
  Time now_;
  std::vector<Job> queue_;
  int running_ = -1;
  bool changed_ = false;
  StepCounts counts_;
};

}  // namespace concertina::scheduler
