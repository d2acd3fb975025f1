#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/try.h"
#include "control/subnet_profiles.h"
#include "device/serving_options.h"
#include "device/verbs.h"

namespace concertina::apps {
namespace {

Status simulate_all(const ServingOptions& options) {
  ASSIGN_OR_RETURN(const auto model, Model::load(options.model, options.loading));
  ASSIGN_OR_RETURN(const std::vector<control::SubnetProfile> sizes,
                   control::subnet_profiles(model, options.session));
  const std::string note = busy_note(sizes);
  if (!note.empty()) fmt::print(stderr, "{}\n", note);
  nlohmann::json list = nlohmann::json::array();
  for (const simulation::ScenarioOptions& wanted : scenarios(options)) {
    ASSIGN_OR_RETURN(const simulation::Scenario scenario, simulation::make_scenario(wanted, sizes));
    const double best = simulation::optimum(scenario, sizes, wanted.seed).yield;
    nlohmann::json entry = {{"arrivals", wanted.arrivals},
                            {"contention", wanted.contention},
                            {"load", wanted.load},
                            {"measured_busy", !note.empty()},
                            {"deadline_ms", to_ms(scenario.serving.deadline)},
                            {"optimal_yield", best}};
    Table table = metrics_table();
    for (const std::string& policy : chosen_policies(options, sizes.size())) {
      ASSIGN_OR_RETURN(const simulation::Metrics metrics,
                       simulation::simulate(scenario, policy, sizes, wanted.seed));
      table.add(metrics_row(policy, metrics, best));
    }
    entry["policies"] = table.json();
    if (!options.json) {
      fmt::print("{}: load {}, deadline {:.3f} ms, {} requests, optimum {:.2f} %\n{}\n", name_of(wanted),
                 wanted.load, to_ms(scenario.serving.deadline), scenario.arrivals.size(), 100 * best,
                 table.text());
    }
    list.push_back(std::move(entry));
  }
  if (options.json) fmt::print("{}\n", list.dump(1));
  return {};
}

void define(CLI::App* verb, ServingOptions& options) {
  options.arrivals = {"poisson", "gamma:8", "bursts", "ramp", "step", "azure_code", "azure_conv"};
  options.contentions = {"none", "step:1.8", "two-state:1.8"};
  add_serving_options(verb, options);
}

}  // namespace

void add_simulate(CLI::App& program, Action& chosen) {
  add_verb<ServingOptions>(program, chosen, "simulate",
                           "Replay streams of requests on a simulated machine, one policy after the other",
                           "  concertina simulate model.onnx\n"
                           "  concertina simulate model.onnx --arrivals azure_code --contention step:1.8\n"
                           "  concertina simulate model.onnx --load 1.2 --policy concertina,slackfit\n",
                           define, simulate_all);
}

}  // namespace concertina::apps
