#pragma once

#include <string>
#include <vector>

#include "scheduler/cost_monitor.h"
#include "scheduler/scheduling_policy.h"
#include "scheduler/size_plan.h"

namespace concertina::scheduler {

struct DeadlineSizesOptions {
  /// The share of the time from a request's arrival to its deadline that sizes are chosen to leave free, for
  /// predictions that are too low and for requests that are still to come; 0 .. 1.
  double reserve = 0.1;
  bool lowers_sizes = true;  ///< false: the full size only, to tell what the sizes are worth
};

/// Earliest deadline first with sizes. Whenever jobs come or go, it plans all of them in the order of
/// deadlines (SizePlan): a job that is not begun may take any size, one that is may go on or begin anew at a
/// smaller size. The first of the plan runs. The job that ran last is interrupted only if going on would have
/// one before it in the plan miss its target. Jobs that the plan leaves out wait, and are shed when even
/// their smallest size alone would be late.
class DeadlineSizes final : public SchedulingPolicy {
 public:
  explicit DeadlineSizes(std::vector<ModelCost> models, const DeadlineSizesOptions& options = {});

  std::string_view name() const override { return options_.lowers_sizes ? "sizes" : "full-size"; }
  Action choose(const Situation& situation) override;
  void observe(const StepObservation& step) override { monitor_.observe(step); }

 private:
  std::size_t hopeless(const Situation& situation) const;
  Time least_time(const Job& job) const;
  void plan(const Situation& situation);
  void list_options(const Job& job);
  std::size_t first_of_plan(const Situation& situation) const;

  std::vector<ModelCost> models_;
  DeadlineSizesOptions options_;
  CostMonitor monitor_;
  SizePlan plan_;
  std::vector<std::size_t> order_;  ///< places in the queue, by deadline: jobs of plan_
  std::vector<SizeOption> ways_;    ///< to answer one job
};

}  // namespace concertina::scheduler
