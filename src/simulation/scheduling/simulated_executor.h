#pragma once

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <span>

#include "base/clock.h"
#include "scheduler/executor.h"

namespace concertina::simulation {

struct StepSimulationOptions {
  double noise = 0.05;  ///< standard deviation of the logarithm of a run's time over the prediction
  double slowdown = 1;  ///< of every step against its prediction, from the first on
  Time overhead{0};     ///< of every step, for the decision before it
  std::uint64_t seed = 1;
};

/// Runs nothing: steps take their predicted times, each run's times a random factor of its own, the same
/// under every policy.
class SimulatedExecutor final : public scheduler::StepExecutor {
 public:
  /// models must outlive it.
  SimulatedExecutor(std::span<const scheduler::ModelCost> models, const StepSimulationOptions& options)
      : models_(models), options_(options) {}

  Time now() const override { return clock_.now(); }
  void wait_until(Time moment) override { clock_.set(std::max(moment, clock_.now())); }
  Status begin(const scheduler::Job&) override { return {}; }
  Status step(const scheduler::Job& job) override;

 private:
  std::span<const scheduler::ModelCost> models_;
  StepSimulationOptions options_;
  ManualClock clock_;
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

}  // namespace concertina::simulation
