#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "concertina/session.h"
#include "runtime/plan.h"

namespace concertina::runtime {

/// Times the steps of a plan. The steps within a banded one share its time as their own times are to each
/// other, over all threads.
class StepTimer {
 public:
  /// Keeps the reference. threads: of the session's pool.
  StepTimer(const Plan& plan, int threads);

  /// Has the frame's runs note the times within banded steps. The timer has to outlive them.
  void time_banded_steps(Frame& frame);

  void begin_run();
  void begin_step();
  /// step: its index in the plan.
  void end_step(std::size_t step);

  /// For each of the plan's labels, over the runs.
  std::vector<StepTime> medians() const;

 private:
  double lap_share(std::size_t lap, std::int64_t total) const;

  const Plan& plan_;
  std::vector<std::vector<double>> times_;  ///< milliseconds, by label and run
  std::vector<std::int64_t> lap_times_;     ///< of the running step: by thread and its own labels
  std::chrono::steady_clock::time_point before_;
};

}  // namespace concertina::runtime
