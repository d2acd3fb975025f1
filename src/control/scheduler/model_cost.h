#pragma once

#include "concertina/session.h"
#include "control/scheduler/job.h"

namespace concertina::control {

/// What a model costs on this machine: the median of every step of every size in `runs` runs of one image.
/// Fails as Session::profile() does.
Result<ModelCost> measure_cost(Session& session, std::span<const float> image, std::string name, int runs);

}  // namespace concertina::control
