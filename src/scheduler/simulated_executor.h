#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "scheduler/executor.h"

namespace concertina::scheduler {

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

}  // namespace concertina::scheduler
