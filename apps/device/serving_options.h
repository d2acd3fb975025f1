#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "common/table.h"
#include "concertina/adaptive_session.h"
#include "simulation/scenario.h"

namespace concertina::apps {

/// What simulate and soak are told: a model, streams of requests, and who answers them.
struct ServingOptions {
  std::string model;
  ModelOptions loading;
  AdaptiveOptions session;  ///< the latency table, threads, batch
  std::vector<std::string> arrivals;
  std::vector<std::string> contentions;
  std::vector<std::string> policies = {"all"};
  simulation::ScenarioOptions scenario;
  bool json = false;
};

void add_serving_options(CLI::App* verb, ServingOptions& options);

/// What a user has to know of times that were measured on a busy machine; empty if they were not.
std::string busy_note(const std::vector<control::SubnetProfile>& sizes);

/// "all" stands for every policy.
std::vector<std::string> chosen_policies(const ServingOptions& options, std::size_t sizes);

/// Every stream of requests under every contention.
std::vector<simulation::ScenarioOptions> scenarios(const ServingOptions& options);

/// The name of one: "gamma:8, step:1.8".
std::string name_of(const simulation::ScenarioOptions& scenario);

/// What policies made of a scenario: a table with `more` columns at its end, and a row without those. In
/// time, late and shed are shares of the requests. Nothing is said against an `optimum` that is no bound: 0,
/// or less than the yield, as a real machine that is quieter than its latency table makes it.
Table metrics_table(std::vector<Table::Column> more = {});
std::vector<Table::Cell> metrics_row(const std::string& policy, const simulation::Metrics& metrics,
                                     double optimum);

}  // namespace concertina::apps
