#include "scheduler/scheduling_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "scheduler/baselines.h"
#include "scheduler/deadline_sizes.h"

namespace concertina::scheduler {

bool runnable(std::span<const Job> queue, std::size_t job) {
  return queue[job].begun() || std::none_of(queue.begin(), queue.end(), [&](const Job& other) {
           return other.begun() && other.model == queue[job].model;
         });
}

std::span<const std::string> scheduling_policies() {
  static const std::vector<std::string> names = {"fcfs", "edf", "srtf", "dysta", "full-size", "sizes"};
  return names;
}

Result<std::unique_ptr<SchedulingPolicy>> make_scheduling_policy(std::string_view name,
                                                                 std::vector<ModelCost> models,
                                                                 const SchedulingOptions& options) {
  using Made = std::unique_ptr<SchedulingPolicy>;
  if (name == "fcfs") return Made(std::make_unique<FirstCome>());
  if (name == "edf") return Made(std::make_unique<EarliestDeadline>(std::move(models)));
  if (name == "srtf") return Made(std::make_unique<ShortestRemaining>(std::move(models)));
  if (name == "dysta") return Made(std::make_unique<Dysta>(std::move(models), options.dysta_eta));
  if (name == "sizes" || name == "full-size") {
    return Made(std::make_unique<DeadlineSizes>(
        std::move(models),
        DeadlineSizesOptions{.reserve = options.reserve, .lowers_sizes = name == "sizes"}));
  }
  return Error{fmt::format("there is no scheduling policy '{}'; the nearest is '{}'", name,
                           nearest_name(name, scheduling_policies()))};
}

}  // namespace concertina::scheduler
