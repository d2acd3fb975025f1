#pragma once

#include <span>
#include <vector>

#include "scheduler/scheduling_policy.h"

namespace concertina::scheduler {

/// Corrects predicted times by observed ones: a factor for each model, the mean of took / predicted in which
/// a full run's worth of steps weighs 1/8 and older ones decay. One step counts as at most four times its
/// prediction, so that a stall of the machine is not taken for its speed.
class CostMonitor {
 public:
  explicit CostMonitor(std::span<const ModelCost> models);

  void observe(const StepObservation& step);
  double factor(int model) const { return models_[model].factor; }
  Time corrected(int model, Time predicted) const { return scaled(predicted, factor(model)); }

 private:
  struct ModelSpeed {
    double isolated = 1;  ///< nanoseconds of a full run, as predicted
    double factor = 1;    ///< took / predicted
  };
  std::vector<ModelSpeed> models_;
};

}  // namespace concertina::scheduler
