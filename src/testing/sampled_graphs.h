#pragma once

#include <vector>

#include "testing/graphs.h"

namespace concertina::testing {

/// test_graphs(), but only every sixth under ThreadSanitizer: threads meet at images and at parts of maps,
/// whatever network it is, and there each takes twenty times as long.
std::vector<NamedGraph> sampled_graphs();

}  // namespace concertina::testing
