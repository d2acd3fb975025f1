#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "concertina/result.h"
#include "concertina/session.h"
#include "scheduler/job.h"

namespace concertina::scheduler {

/// What runs the steps that a policy decides on: the runtime, or a simulation of it.
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

/// Runs steps on the runtime, with one session for each model. It waits without giving the processor away: a
/// wake-up would be late by as much as a step. For one thread at a time.
class SessionExecutor final : public StepExecutor {
 public:
  /// The clock must outlive it.
  SessionExecutor(std::vector<Session> sessions, const Clock& clock);

  /// now() is zero again.
  void restart_clock() { origin_ = clock_.now(); }

  Time now() const override { return clock_.now() - origin_; }
  void wait_until(Time moment) override;
  Status begin(const Job& job) override;
  Status step(const Job& job) override;

  const Model& model(int index) const { return tenants_[index].session.model(); }

 private:
  struct Tenant {
    Session session;
    std::vector<float> image;  ///< of jobs that bring none
    std::vector<float> outputs;
  };

  std::vector<Tenant> tenants_;
  const Clock& clock_;
  Time origin_;
};

/// A model before it is timed: as many sizes and steps as it has, of no time.
ModelCost untimed_cost(const Session& session, std::string name);

/// Times every step of every size on the executor, models and sizes taking turns as they will: what other
/// models leave in the caches, and reading the clock, belong to a step's time. A time is the mean of
/// `rounds`, without the slowest twentieth. Precondition: rounds >= 1.
Status measure_costs(StepExecutor& executor, int rounds, std::span<ModelCost> models);

}  // namespace concertina::scheduler
