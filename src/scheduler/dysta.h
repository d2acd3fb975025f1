#pragma once

#include <vector>

#include "scheduler/cost_monitor.h"
#include "scheduler/scheduling_policy.h"

namespace concertina::scheduler {

/// The dynamic score of Dysta (Fan et al., MICRO 2023, "Sparse-DySta"), as remembered, not as looked up. The
/// job of the least score runs, at the full size:
///
///   score = remaining + eta (slack + penalty)
///   slack = deadline - now - remaining
///   penalty = (now - arrival - isolated + remaining) / isolated / jobs in the queue
///
/// in milliseconds, the penalty being a number. `remaining` is the prediction corrected by what the model's
/// steps took, which stands for Dysta's latency predictor from sparsity; now - arrival - isolated + remaining
/// is the time that the job has waited.
class Dysta final : public SchedulingPolicy {
 public:
  explicit Dysta(std::vector<ModelCost> models, double eta);

  std::string_view name() const override { return "dysta"; }
  Action choose(const Situation& situation) override;
  void observe(const StepObservation& step) override { monitor_.observe(step); }

 private:
  std::vector<ModelCost> models_;
  CostMonitor monitor_;
  double eta_;
};

}  // namespace concertina::scheduler
