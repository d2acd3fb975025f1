#include "scheduler/cost_monitor.h"

#include <algorithm>

namespace concertina::scheduler {
namespace {

constexpr double kRunWeight = 0.125;
constexpr double kMaxWeight = 0.5;
constexpr double kMaxRatio = 4;

double count(Time time) {
  return static_cast<double>(time.count());
}

}  // namespace

CostMonitor::CostMonitor(std::span<const ModelCost> models) {
  for (const ModelCost& model : models) models_.push_back({.isolated = count(model.isolated()), .factor = 1});
}

void CostMonitor::observe(const StepObservation& step) {
  if (step.predicted <= Time(0)) return;
  ModelSpeed& speed = models_[step.model];
  const double ratio = std::clamp(count(step.took) / count(step.predicted), 1 / kMaxRatio, kMaxRatio);
  const double weight = std::min(kMaxWeight, kRunWeight * count(step.predicted) / speed.isolated);
  speed.factor += weight * (ratio - speed.factor);
}

}  // namespace concertina::scheduler
