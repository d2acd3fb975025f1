#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

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

/// "all" stands for every policy.
std::vector<std::string> chosen_policies(const ServingOptions& options, std::size_t sizes);

/// Every stream of requests under every contention.
std::vector<simulation::ScenarioOptions> scenarios(const ServingOptions& options);

/// The name of one: "gamma:8, step:1.8".
std::string name_of(const simulation::ScenarioOptions& scenario);

/// What a policy made of a scenario, as a row of a table; `optimum` is 0 if it is not known.
std::vector<std::string> metrics_head();
std::vector<std::string> metrics_row(const std::string& policy, const simulation::Metrics& metrics,
                                     double optimum);
nlohmann::json metrics_json(const std::string& policy, const simulation::Metrics& metrics);

}  // namespace concertina::apps
