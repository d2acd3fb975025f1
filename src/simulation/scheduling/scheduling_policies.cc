#include "simulation/scheduling/scheduling_policies.h"

#include <fmt/format.h>

#include <utility>

#include "base/text.h"
#include "scheduler/deadline_sizes.h"
#include "simulation/scheduling/baselines.h"

namespace concertina::simulation {

std::span<const std::string> scheduling_policies() {
  static const std::vector<std::string> names = {"fcfs", "edf", "srtf", "dysta", "full-size", "sizes"};
  return names;
}

Result<std::unique_ptr<scheduler::SchedulingPolicy>> make_scheduling_policy(
    std::string_view name, std::vector<scheduler::ModelCost> models, const SchedulingOptions& options) {
  using Made = std::unique_ptr<scheduler::SchedulingPolicy>;
  if (name == "fcfs") return Made(std::make_unique<FirstCome>());
  if (name == "edf") return Made(std::make_unique<EarliestDeadline>(std::move(models)));
  if (name == "srtf") return Made(std::make_unique<ShortestRemaining>(std::move(models)));
  if (name == "dysta") return Made(std::make_unique<Dysta>(std::move(models), options.dysta_eta));
  if (name == "sizes" || name == "full-size") {
    return Made(std::make_unique<scheduler::DeadlineSizes>(
        std::move(models),
        scheduler::DeadlineSizesOptions{.reserve = options.reserve, .lowers_sizes = name == "sizes"}));
  }
  return Error{fmt::format("there is no scheduling policy '{}'; the nearest is '{}'", name,
                           nearest_name(name, scheduling_policies()))};
}

}  // namespace concertina::simulation
