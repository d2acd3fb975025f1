#pragma once

#include <memory>
#include <vector>

#include "concertina/adaptive_session.h"
#include "control/policy.h"

namespace concertina::control {

/// What policies know of the model's sub-nets, by their indices, as the table has it. Fails if the table is
/// of another precision or lacks a sub-net with this batch and number of threads.
Result<std::vector<SubnetProfile>> profiles_from_table(const Model& model, const latency::LatencyTable& table,
                                                       int batch, int threads);

/// The same from the file that the options name, which must be of a machine like this one unless
/// options.other_machine; or, if they name none, from a short measurement.
Result<std::vector<SubnetProfile>> subnet_profiles(const std::shared_ptr<const Model>& model,
                                                   const AdaptiveOptions& options);

}  // namespace concertina::control
