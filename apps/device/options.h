#pragma once

#include <string>
#include <vector>

#include "common/options.h"
#include "concertina/model.h"

namespace concertina::apps {

/// Adds the model's file, the first argument.
void add_model_argument(CLI::App* verb, std::string& model);

/// Where what is made of a model goes: into `out`, or, if that is empty, beside the model with this
/// extension. Fails if it cannot be written there, before there is anything to write.
Status choose_out(std::string& out, const std::string& model, const char* extension);

/// Adds --precision.
void add_precision_option(CLI::App* verb, Precision& precision);

/// Adds what decides how a model is loaded, for the verbs that run one.
void add_model_options(CLI::App* verb, ModelOptions& options);

/// Adds --cache.
void add_cache_option(CLI::App* verb, ModelOptions& options);

/// Adds --threads and --batch of one run.
void add_run_options(CLI::App* verb, int& threads, int& batch);

/// Adds --subnet.
void add_subnet_option(CLI::App* verb, std::string& choice);

/// Indices that a user means by "all", or by what commas separate: numbers from the table, or widths such as
/// 16-12-32.
Result<std::vector<int>> chosen_subnets(const Model& model, const std::string& choice);

/// Adds --pin. `what` it keeps on the processors, and where without it.
void add_pin_option(CLI::App* verb, std::vector<int>& processors, const std::string& what);

/// Keeps this thread, and those that it starts, on these processors; on all if there are none. Errors name
/// the option.
Status pin(const std::vector<int>& processors);

}  // namespace concertina::apps
