#include "control/scheduler/model_cost.h"

#include <utility>

#include "base/try.h"

namespace concertina::control {

Result<ModelCost> measure_cost(Session& session, std::span<const float> image, std::string name, int runs) {
  ModelCost cost{.name = std::move(name), .sizes = {}};
  for (int size = 0; const SubnetInfo& info : session.model().subnets()) {
    CONCERTINA_ASSIGN(const std::vector<StepTime> steps, session.profile(image, 1, size++, runs));
    std::vector<Time> times;
    for (const StepTime& step : steps) times.push_back(from_ms(step.median_ms));
    cost.sizes.push_back(
        SizeCost::of(info.validation_accuracy, info.test_accuracy.value_or(info.validation_accuracy), times));
  }
  return cost;
}

}  // namespace concertina::control
