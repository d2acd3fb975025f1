#pragma once

#include <vector>

#include "scheduler/cost_monitor.h"
#include "scheduler/scheduling_policy.h"

namespace concertina::scheduler {

/// Earliest deadline first at the full size, with admission control: a request is rejected when it comes
/// unless it and all that were admitted can be expected to end in time, in the order of deadlines (Liu,
/// Layland 1973: no order does better). Who is admitted is answered, late or not.
class EarliestDeadline final : public SchedulingPolicy {
 public:
  explicit EarliestDeadline(std::vector<ModelCost> models);

  std::string_view name() const override { return "edf"; }
  Action choose(const Situation& situation) override;
  void observe(const StepObservation& step) override { monitor_.observe(step); }

 private:
  bool fits(const Situation& situation, std::size_t newcomer);

  std::vector<ModelCost> models_;
  CostMonitor monitor_;
  std::vector<const Job*> order_;
  int judged_ = -1;  ///< the last job that was admitted or rejected
};

}  // namespace concertina::scheduler
