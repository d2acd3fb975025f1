#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/progress.h"
#include "concertina/model.h"

namespace concertina::profile {

/// Milliseconds of one image through each sub-net of each model on one thread: the median of many runs. All
/// sub-nets of all models take turns, in a new random order each round, so that whatever else the machine
/// does hits all alike. A first run of each is not counted. It takes so many seconds, or five rounds if they
/// are longer. Fails if memory is short.
Result<std::vector<std::vector<double>>> time_in_turns(std::span<const std::shared_ptr<const Model>> models,
                                                       double seconds, const Clock& clock,
                                                       Progress& progress);

}  // namespace concertina::profile
