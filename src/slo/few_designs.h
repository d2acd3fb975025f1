#pragma once

#include <span>
#include <vector>

#include "slo/designs.h"

namespace concertina::slo {

/// The at most `most` of `winners`, candidates without repetition, whose costs[state][candidate], each state
/// taking the one that serves it best, have the least sum; in the order of `winners`. Exact: tries all
/// choices, 735 471 at Slo::kMaxStates and 8. Precondition: most >= 1.
std::vector<std::size_t> choose_few(const std::vector<std::vector<Score>>& costs,
                                    std::span<const std::size_t> winners, std::size_t most);

}  // namespace concertina::slo
