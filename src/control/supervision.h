#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "concertina/adaptive_session.h"
#include "control/policy.h"
#include "slo/rule_table.h"
#include "supervisor/supervisor_thread.h"

namespace concertina::control {

/// What a session is told of its machine: a supervisor's advice every period, or, with a plan, the sub-net of
/// the rule for the machine's state and slow-down.
class Supervision {
 public:
  /// `allow_from` is told the largest sub-net that may run, from another thread, until this ends. Fails if
  /// the period is not in 20 .. 60 000 ms, the system refuses a thread, or the plan cannot be read or is not
  /// of this model, precision and (unless options.other_machine) machine.
  static Result<std::unique_ptr<Supervision>> start(const Model& model,
                                                    const std::vector<SubnetProfile>& sizes,
                                                    const AdaptiveOptions& options,
                                                    std::function<void(int)> allow_from);

  /// The slow-down of now, for the plan's rules. Neither allocates nor locks.
  void slowed(double factor) { slow_down_.store(factor, std::memory_order_relaxed); }

  /// What the machine showed last. From any thread.
  MachineState state() const { return state_.load(std::memory_order_relaxed); }

 private:
  Supervision() = default;
  int largest(const supervisor::Advice& advice);

  std::optional<slo::RuleTable> plan_;
  int rule_ = -1;  ///< in force
  std::atomic<double> slow_down_{1};
  std::atomic<MachineState> state_{MachineState::normal};
  std::function<void(int)> allow_from_;
  std::optional<supervisor::SupervisorThread> thread_;  // last: it ends before what it uses
};

}  // namespace concertina::control
