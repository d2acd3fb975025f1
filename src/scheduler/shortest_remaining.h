#pragma once

#include <vector>

#include "scheduler/cost_monitor.h"
#include "scheduler/scheduling_policy.h"

namespace concertina::scheduler {

/// Shortest remaining time first at the full size (Schrage 1968: it makes the mean time in the queue least),
/// by predictions that the cost monitor corrects.
class ShortestRemaining final : public SchedulingPolicy {
 public:
  explicit ShortestRemaining(std::vector<ModelCost> models);

  std::string_view name() const override { return "srtf"; }
  Action choose(const Situation& situation) override;
  void observe(const StepObservation& step) override { monitor_.observe(step); }

 private:
  std::vector<ModelCost> models_;
  CostMonitor monitor_;
};

}  // namespace concertina::scheduler
