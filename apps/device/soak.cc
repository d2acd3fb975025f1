#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/machine.h"
#include "base/statistics.h"
#include "base/try.h"
#include "common/progress_bar.h"
#include "control/subnet_profiles.h"
#include "device/options.h"
#include "device/serving_options.h"
#include "device/verbs.h"
#include "profile/measure_subnets.h"
#include "simulation/background_load.h"
#include "simulation/policies.h"
#include "simulation/server.h"
#include "simulation/timed_policy.h"

namespace concertina::apps {
namespace {

using simulation::Scenario;

struct SoakOptions {
  ServingOptions serving;
  std::vector<int> processors;  ///< that runs are kept on; empty: as many as threads, the last ones
};

/// What a policy made of a scenario in reality and on the simulated machine.
struct SoakedPolicy {
  simulation::Metrics real;
  simulation::Metrics simulated;
  double decision_p99_us = 0;
};

/// The last ones: interrupts tend to come to the first.
std::vector<int> default_processors(int threads) {
  std::vector<int> all = allowed_processors();
  const auto wanted = std::min(all.size(), static_cast<std::size_t>(threads));
  return {all.end() - static_cast<std::ptrdiff_t>(wanted), all.end()};
}

class Soak {
 public:
  static Result<Soak> make(const SoakOptions& options) {
    const ServingOptions& serving = options.serving;
    const std::vector<int> processors =
        options.processors.empty() ? default_processors(serving.session.threads) : options.processors;
    RETURN_IF_ERROR(pin(processors));
    ASSIGN_OR_RETURN(auto model, Model::load(serving.model, serving.loading));
    ASSIGN_OR_RETURN(std::vector<control::SubnetProfile> sizes,
                     control::subnet_profiles(model, serving.session));
    ASSIGN_OR_RETURN(Session session, Session::make(model, {.threads = serving.session.threads,
                                                            .max_batch = serving.session.batch}));
    constexpr int kImages = 64;
    std::vector<float> images = profile::some_inputs(*model, serving.session.batch * kImages);
    Soak soak(std::move(sizes), processors, std::move(session), serving.session.batch, std::move(images));
    ASSIGN_OR_RETURN(soak.overhead_, simulation::measured_overhead(processors, *soak.server_));
    ASSIGN_OR_RETURN(soak.load_of_1_8_,
                     simulation::measured_slow_down(1.8, soak.overhead_, processors, *soak.server_));
    return soak;
  }

  /// What a load that is to slow the machine 1.8 times does.
  double load_of_1_8() const { return load_of_1_8_; }

  const std::vector<control::SubnetProfile>& sizes() const { return sizes_; }

  Result<SoakedPolicy> run(const simulation::Scenario& scenario, const std::string& name,
                           std::uint64_t seed) {
    ASSIGN_OR_RETURN(const auto policy, simulation::make_policy(name, sizes_));
    simulation::TimedPolicy timed(*policy, scenario.arrivals.size());
    RETURN_IF_ERROR(server_->run(0, 0));  // what has lain idle is brought back
    const simulation::BackgroundLoad load(scenario.contention, processors_, overhead_);
    has_priority_ = has_priority_ && load.has_priority();
    ASSIGN_OR_RETURN(const auto outcomes,
                     simulation::serve(scenario.arrivals, scenario.serving, timed, *server_));
    ASSIGN_OR_RETURN(const simulation::Metrics simulated, simulation::simulate(scenario, name, sizes_, seed));
    return SoakedPolicy{
        .real = simulation::measure(outcomes, simulation::accuracies(sizes_)),
        .simulated = simulated,
        .decision_p99_us = timed.microseconds().empty() ? 0 : quantile(timed.microseconds(), 0.99)};
  }

  bool has_priority() const { return has_priority_; }

 private:
  Soak(std::vector<control::SubnetProfile> sizes, std::vector<int> processors, Session session, int batch,
       std::vector<float> images)
      : sizes_(std::move(sizes)),
        processors_(std::move(processors)),
        server_(std::make_unique<simulation::ModelServer>(std::move(session), batch, std::move(images))) {}

  std::vector<control::SubnetProfile> sizes_;
  std::vector<int> processors_;
  std::unique_ptr<simulation::ModelServer> server_;
  double overhead_ = 0;
  double load_of_1_8_ = 0;
  bool has_priority_ = true;
};

/// One scenario, all policies.
struct Soaked {
  std::string text;
  nlohmann::json json;
};

Result<Soaked> soak_scenario(Soak& soak, const ServingOptions& options,
                             const simulation::ScenarioOptions& wanted, Progress& progress, int& done) {
  ASSIGN_OR_RETURN(const simulation::Scenario scenario, simulation::make_scenario(wanted, soak.sizes()));
  const double best = simulation::optimum(scenario, soak.sizes(), wanted.seed).yield;
  Table table = metrics_table({{"in time, simulated", "simulated_on_time_rate"},
                               {"decision p99 us", "decision_p99_us"},
                               {"", "simulated_yield"}});
  for (const std::string& policy : chosen_policies(options, soak.sizes().size())) {
    ASSIGN_OR_RETURN(const SoakedPolicy soaked, soak.run(scenario, policy, wanted.seed));
    std::vector<Table::Cell> row = metrics_row(policy, soaked.real, best);
    row.push_back(percent(soaked.simulated.on_time_rate));
    row.push_back(fixed(soaked.decision_p99_us, 2));
    row.push_back(unseen(soaked.simulated.yield));
    table.add(std::move(row));
    progress.update(++done, fmt::format("{}: {} {:.2f} %", name_of(wanted), policy, 100 * soaked.real.yield));
  }
  const double deadline = to_ms(scenario.serving.deadline);
  return Soaked{
      .text = fmt::format("{}: load {}, deadline {:.3f} ms, optimum if all were known {:.2f} %\n{}\n",
                          name_of(wanted), wanted.load, deadline, 100 * best, table.text()),
      .json = {{"arrivals", wanted.arrivals},
               {"contention", wanted.contention},
               {"load", wanted.load},
               {"deadline_ms", deadline},
               {"optimal_yield", best},
               {"policies", table.json()}}};
}

Status soak_all(const SoakOptions& options) {
  const ServingOptions& serving = options.serving;
  ASSIGN_OR_RETURN(Soak soak, Soak::make(options));
  const auto all = scenarios(serving);
  ProgressBar progress;
  progress.start(
      "soak", static_cast<std::int64_t>(all.size() * chosen_policies(serving, soak.sizes().size()).size()));
  nlohmann::json list = nlohmann::json::array();
  std::string text;
  int done = 0;
  for (const simulation::ScenarioOptions& wanted : all) {
    ASSIGN_OR_RETURN(Soaked soaked, soak_scenario(soak, serving, wanted, progress, done));
    text += soaked.text;
    list.push_back(std::move(soaked.json));
  }
  text += fmt::format("A load of 1.8 has slowed the largest sub-net {:.2f} times.\n", soak.load_of_1_8());
  if (!soak.has_priority()) {
    text +=
        "The system has refused the background load a real-time priority; "
        "run as root for a load that takes exactly its share.\n";
  }
  const nlohmann::json report = {{"cpu", cpu_name()},
                                 {"threads", serving.session.threads},
                                 {"batch", serving.session.batch},
                                 {"load_has_priority", soak.has_priority()},
                                 {"measured_slow_down_of_1.8", soak.load_of_1_8()},
                                 {"scenarios", list}};
  fmt::print("{}", serving.json ? report.dump(1) + "\n" : text);
  return {};
}

void define(CLI::App* verb, SoakOptions& options) {
  options.serving.arrivals = {"poisson", "gamma:8", "bursts", "azure_code"};
  options.serving.contentions = {"none", "step:1.8"};
  add_serving_options(verb, options.serving);
  add_pin_option(verb, options.processors, "processors for runs and load (default: the last ones)");
}

}  // namespace

void add_soak(CLI::App& program, Action& chosen) {
  add_verb<SoakOptions>(
      program, chosen, "soak",
      "Answer streams of requests in real time, under real load, and compare with the simulation",
      "  concertina soak model.onnx --policy concertina,hysteresis,fixed:0\n"
      "  concertina soak model.onnx --contention step:1.8 -n 50000 --policy concertina\n",
      define, soak_all);
}

}  // namespace concertina::apps
