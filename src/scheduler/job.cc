#include "scheduler/job.h"

namespace concertina::scheduler {

SizeCost SizeCost::of(double accuracy, double reported_accuracy, std::span<const Time> steps) {
  SizeCost cost{.accuracy = accuracy, .reported_accuracy = reported_accuracy, .left = {}};
  cost.left.assign(steps.size() + 1, Time(0));
  for (std::size_t i = steps.size(); i > 0; --i) cost.left[i - 1] = cost.left[i] + steps[i - 1];
  return cost;
}

}  // namespace concertina::scheduler
