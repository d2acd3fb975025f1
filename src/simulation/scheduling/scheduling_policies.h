#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "concertina/result.h"
#include "scheduler/scheduling_policy.h"

namespace concertina::simulation {

/// What policies can be told.
struct SchedulingOptions {
  double dysta_eta = 0.03;  ///< Dysta's weight of deadlines against remaining times
  double reserve = 0.1;     ///< DeadlineSizesOptions::reserve
};

/// What make_scheduling_policy() knows, in the order of tables.
std::span<const std::string> scheduling_policies();

/// Fails, with the nearest name, if there is none of this name. Precondition: each model has a size.
Result<std::unique_ptr<scheduler::SchedulingPolicy>> make_scheduling_policy(
    std::string_view name, std::vector<scheduler::ModelCost> models, const SchedulingOptions& options = {});

}  // namespace concertina::simulation
