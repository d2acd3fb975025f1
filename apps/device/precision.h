#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "concertina/model.h"

namespace concertina::apps {

/// Adds --precision to a verb that runs a model.
void add_precision_option(CLI::App* verb, Precision& precision);

std::string name_of(Precision precision);

}  // namespace concertina::apps
