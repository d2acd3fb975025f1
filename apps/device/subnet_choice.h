#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "concertina/model.h"

namespace concertina::apps {

/// Adds --subnet to a verb; the same words for all of them.
void add_subnet_option(CLI::App* verb, std::string& choice);

/// Indices that a user means by "all", a number from the table, or widths such as 16-12-32.
Result<std::vector<int>> chosen_subnets(const Model& model, const std::string& choice);

}  // namespace concertina::apps
