#pragma once

#include <CLI/CLI.hpp>

#include "concertina/model.h"

namespace concertina::apps {

/// Adds --precision to a verb.
void add_precision_option(CLI::App* verb, Precision& precision);

/// Adds what decides how a model is loaded, for the verbs that run one.
void add_model_options(CLI::App* verb, ModelOptions& options);

}  // namespace concertina::apps
