#pragma once

#include <span>
#include <string>
#include <vector>

#include "concertina/session.h"
#include "scheduler/executor.h"

namespace concertina::scheduler {

/// A model before it is timed: as many sizes and steps as it has, of no time.
ModelCost untimed_cost(const Session& session, std::string name);

/// Times every step of every size on the executor, models and sizes taking turns as they will: what other
/// models leave in the caches, and reading the clock, belong to a step's time. A time is the mean of
/// `rounds`, without the slowest twentieth. Precondition: rounds >= 1.
Status measure_costs(StepExecutor& executor, int rounds, std::span<ModelCost> models);

}  // namespace concertina::scheduler
