#pragma once

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "concertina/result.h"
#include "concertina/session.h"
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

struct SimulationOptions {
  double noise = 0.05;  ///< standard deviation of the logarithm of a run's time over the prediction
  double slowdown = 1;  ///< of every step against its prediction, from the first on
  Time overhead{0};     ///< of every step, for the decision before it
  std::uint64_t seed = 1;
};

/// Runs nothing: steps take their predicted times, each run's times a random factor of its own, the same
/// under every policy.
class SimulatedExecutor final : public StepExecutor {
 public:
  /// models must outlive it.
  SimulatedExecutor(std::span<const ModelCost> models, const SimulationOptions& options);

  Time now() const override { return clock_.now(); }
  void wait_until(Time moment) override { clock_.set(std::max(moment, clock_.now())); }
  Status begin(const Job& job) override;
  Status step(const Job& job) override;

 private:
  std::span<const ModelCost> models_;
  SimulationOptions options_;
  ManualClock clock_;
};

/// Runs steps on the runtime, one session and one image for each model. It waits without giving the processor
/// away: a wake-up would be late by as much as a step. For one thread at a time.
class SessionExecutor final : public StepExecutor {
 public:
  struct Tenant {
    Session session;
    std::vector<float> images;  ///< one
  };
  /// Called with a job that has been answered and its logits, which are there until it returns.
  using Answered = std::function<void(const Job& job, std::span<const float> logits)>;

  /// The clock must outlive it. Precondition: every image has its model's input_size().
  SessionExecutor(std::vector<Tenant> tenants, const Clock& clock, Answered answered = {});

  /// now() is zero again.
  void restart_clock() { origin_ = clock_.now(); }

  Time now() const override { return clock_.now() - origin_; }
  void wait_until(Time moment) override;
  Status begin(const Job& job) override;
  Status step(const Job& job) override;

 private:
  std::vector<Tenant> tenants_;
  std::vector<std::vector<float>> logits_;
  const Clock& clock_;
  Time origin_;
  Answered answered_;
};

/// Processor time of the thread that reads it. It stands still while others have the processor, so on a
/// machine that is shared it tells what a schedule does, not what the neighbours do.
class ThreadCpuClock final : public Clock {
 public:
  Time now() const override {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  }
};

/// A model before it is timed: as many sizes and steps as it has, of no time.
ModelCost untimed_cost(const Session& session, std::string name);

/// Times every step of every size on the executor, models and sizes taking turns as they will: what other
/// models leave in the caches, and reading the clock, belong to a step's time. A time is the mean of
/// `rounds`, without the slowest twentieth. Precondition: rounds >= 1.
Status measure_costs(StepExecutor& executor, int rounds, std::span<ModelCost> models);

}  // namespace concertina::scheduler
