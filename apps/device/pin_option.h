#pragma once

#include <CLI/CLI.hpp>
#include <vector>

#include "concertina/result.h"

namespace concertina::apps {

/// Adds --pin to a verb. `what` it keeps on the processors, and where without it.
void add_pin_option(CLI::App* verb, std::vector<int>& processors, const std::string& what);

/// Keeps this thread, and those that it starts, on these processors; on all if there are none. Errors name
/// the option.
Status pin(const std::vector<int>& processors);

}  // namespace concertina::apps
