#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "concertina/result.h"
#include "control/policy.h"

namespace concertina::simulation {

/// What make_policy() knows, of the fixed ones each: ours first.
std::vector<std::string> policy_names(std::size_t sizes);

/// "concertina", "alert", "slackfit", "hysteresis", or "fixed:N" for a sub-net's index. Fails with the
/// nearest name.
Result<std::unique_ptr<control::Policy>> make_policy(std::string_view name,
                                                     const std::vector<control::SubnetProfile>& sizes);

}  // namespace concertina::simulation
