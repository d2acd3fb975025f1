#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/try.h"
#include "common/table.h"
#include "control/model_sizes.h"
#include "device/serving_options.h"
#include "device/verbs.h"

namespace concertina::apps {
namespace {

Status simulate_all(const ServingOptions& options) {
  ASSIGN_OR_RETURN(const auto model, Model::load(options.model, options.loading));
  ASSIGN_OR_RETURN(const std::vector<control::SubnetProfile> sizes,
                   control::sizes_of(model, options.session));
  nlohmann::json list = nlohmann::json::array();
  for (const simulation::ScenarioOptions& wanted : scenarios(options)) {
    ASSIGN_OR_RETURN(const simulation::Scenario scenario, simulation::make_scenario(wanted, sizes));
    const double best = simulation::optimum(scenario, sizes, wanted.seed).yield;
    nlohmann::json entry = {{"arrivals", wanted.arrivals}, {"contention", wanted.contention},
                            {"load", wanted.load},         {"deadline_ms", to_ms(scenario.serving.deadline)},
                            {"optimal_yield", best},       {"policies", nlohmann::json::array()}};
    std::vector<std::vector<std::string>> rows = {metrics_head()};
    for (const std::string& policy : chosen_policies(options, sizes.size())) {
      ASSIGN_OR_RETURN(const simulation::Metrics metrics,
                       simulation::simulate(scenario, policy, sizes, wanted.seed));
      rows.push_back(metrics_row(policy, metrics, best));
      entry["policies"].push_back(metrics_json(policy, metrics));
    }
    if (!options.json) {
      fmt::print("{}: load {}, deadline {:.3f} ms, {} requests, optimum {:.2f} %\n{}\n", name_of(wanted),
                 wanted.load, to_ms(scenario.serving.deadline), scenario.arrivals.size(), 100 * best,
                 format_table(rows));
    }
    list.push_back(std::move(entry));
  }
  if (options.json) fmt::print("{}\n", list.dump(1));
  return {};
}

}  // namespace

void add_simulate(CLI::App& program, Action& chosen) {
  CLI::App* verb = add_verb(program, "simulate",
                            "Replay streams of requests on a simulated machine, one policy after the other",
                            "  concertina simulate model.onnx\n"
                            "  concertina simulate model.onnx --arrivals azure_code --contention step:1.8\n"
                            "  concertina simulate model.onnx --load 1.2 --policy concertina,slackfit\n");
  const auto options = std::make_shared<ServingOptions>();
  options->arrivals = {"poisson", "gamma:8", "bursts", "ramp", "step", "azure_code", "azure_conv"};
  options->contentions = {"none", "step:1.8", "two-state:1.8"};
  add_serving_options(verb, *options);
  verb->callback([&chosen, options] { chosen = [options] { return simulate_all(*options); }; });
}

}  // namespace concertina::apps
