#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/machine.h"
#include "base/statistics.h"
#include "base/try.h"
#include "common/interruption.h"
#include "common/progress_bar.h"
#include "control/subnet_profiles.h"
#include "device/options.h"
#include "device/serving_options.h"
#include "device/timing.h"
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

/// A server that runs nothing more once the user has had enough.
class InterruptibleServer final : public simulation::Server {
 public:
  InterruptibleServer(simulation::Server& server, Interruption& interruption)
      : server_(server), interruption_(interruption) {}

  const Clock& clock() const override { return server_.clock(); }
  void wait_until(Time time) override {
    if (!interrupted_) server_.wait_until(time);
    interrupted_ = interruption_.came();
  }
  Status run(int subnet, std::size_t request) override {
    if (interrupted_) return Error{"it was interrupted"};
    return server_.run(subnet, request);
  }

 private:
  simulation::Server& server_;
  Interruption& interruption_;
  bool interrupted_ = false;
};

bool is_contended(const ServingOptions& options) {
  return std::any_of(options.contentions.begin(), options.contentions.end(),
                     [](const std::string& contention) { return contention != "none"; });
}

class Soak {
 public:
  static Result<Soak> make(const SoakOptions& options, Interruption& interruption) {
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
    Soak soak(std::move(sizes), processors, std::move(session), serving.session.batch, std::move(images),
              interruption);
    if (!is_contended(serving)) return soak;
    ASSIGN_OR_RETURN(soak.overhead_, simulation::measured_overhead(processors, *soak.server_));
    ASSIGN_OR_RETURN(soak.load_of_1_8_,
                     simulation::measured_slow_down(1.8, soak.overhead_, processors, *soak.server_));
    return soak;
  }

  /// What a load that is to slow the machine 1.8 times does; nothing if there is to be none.
  std::optional<double> load_of_1_8() const { return load_of_1_8_; }

  const std::vector<control::SubnetProfile>& sizes() const { return sizes_; }

  Result<SoakedPolicy> run(const simulation::Scenario& scenario, const std::string& name,
                           std::uint64_t seed) {
    ASSIGN_OR_RETURN(const auto policy, simulation::make_policy(name, sizes_));
    simulation::TimedPolicy timed(*policy, scenario.arrivals.size());
    RETURN_IF_ERROR(server_->run(0, 0));  // what has lain idle is brought back
    const simulation::BackgroundLoad load(scenario.contention, processors_, overhead_);
    has_priority_ = has_priority_ && load.has_priority();
    InterruptibleServer server(*server_, *interruption_);
    ASSIGN_OR_RETURN(const auto outcomes,
                     simulation::serve(scenario.arrivals, scenario.serving, timed, server));
    if (interruption_->came()) return Error{"it was interrupted"};
    ASSIGN_OR_RETURN(const simulation::Metrics simulated, simulation::simulate(scenario, name, sizes_, seed));
    return SoakedPolicy{
        .real = simulation::measure(outcomes, simulation::accuracies(sizes_)),
        .simulated = simulated,
        .decision_p99_us = timed.microseconds().empty() ? 0 : quantile(timed.microseconds(), 0.99)};
  }

  bool has_priority() const { return has_priority_; }

 private:
  Soak(std::vector<control::SubnetProfile> sizes, std::vector<int> processors, Session session, int batch,
       std::vector<float> images, Interruption& interruption)
      : sizes_(std::move(sizes)),
        processors_(std::move(processors)),
        server_(std::make_unique<simulation::ModelServer>(std::move(session), batch, std::move(images))),
        interruption_(&interruption) {}

  std::vector<control::SubnetProfile> sizes_;
  std::vector<int> processors_;
  std::unique_ptr<simulation::ModelServer> server_;
  Interruption* interruption_;
  double overhead_ = 0;
  std::optional<double> load_of_1_8_;
  bool has_priority_ = true;
};

/// One scenario, all policies, or those that there was time for.
struct Soaked {
  std::string text;
  nlohmann::json json;
};

Result<Soaked> soak_scenario(Soak& soak, const ServingOptions& options,
                             const simulation::ScenarioOptions& wanted, Interruption& interruption,
                             Progress& progress, int& done) {
  ASSIGN_OR_RETURN(const simulation::Scenario scenario, simulation::make_scenario(wanted, soak.sizes()));
  const double best = simulation::optimum(scenario, soak.sizes(), wanted.seed).yield;
  Table table = metrics_table({{"in time, simulated", "simulated_on_time_rate"},
                               {"decision p99 us", "decision_p99_us"},
                               {"", "simulated_yield"}});
  for (const std::string& policy : chosen_policies(options, soak.sizes().size())) {
    const Result<SoakedPolicy> soaked = soak.run(scenario, policy, wanted.seed);
    if (!soaked && interruption.came()) break;
    RETURN_IF_ERROR(soaked);
    std::vector<Table::Cell> row = metrics_row(policy, soaked->real, best);
    row.push_back(percent(soaked->simulated.on_time_rate));
    row.push_back(fixed(soaked->decision_p99_us, 2));
    row.push_back(unseen(soaked->simulated.yield));
    table.add(std::move(row));
    progress.update(++done,
                    fmt::format("{}: {} {:.2f} %", name_of(wanted), policy, 100 * soaked->real.yield));
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
  Interruption interruption;
  ASSIGN_OR_RETURN(Soak soak, Soak::make(options, interruption));
  const auto all = scenarios(serving);
  ProgressBar progress;
  warn_if_busy(std::min(serving.session.threads, usable_cores()), progress);
  const std::string note = busy_note(soak.sizes());
  if (!note.empty()) progress.message(note);
  progress.start(
      "soak", static_cast<std::int64_t>(all.size() * chosen_policies(serving, soak.sizes().size()).size()));
  nlohmann::json list = nlohmann::json::array();
  std::string text;
  int done = 0;
  for (const simulation::ScenarioOptions& wanted : all) {
    if (interruption.came()) break;
    ASSIGN_OR_RETURN(Soaked soaked, soak_scenario(soak, serving, wanted, interruption, progress, done));
    if (interruption.came() && soaked.json["policies"].empty()) break;
    text += soaked.text;
    list.push_back(std::move(soaked.json));
  }
  if (soak.load_of_1_8()) {
    text += fmt::format("A load of 1.8 has slowed the largest sub-net {:.2f} times.\n", *soak.load_of_1_8());
  }
  if (!soak.has_priority()) {
    text +=
        "The system has refused the background load a real-time priority; "
        "run as root for a load that takes exactly its share.\n";
  }
  if (interruption.came()) text += "It was interrupted; this is what was done until then.\n";
  nlohmann::json report = {{"cpu", cpu_name()},
                           {"threads", serving.session.threads},
                           {"batch", serving.session.batch},
                           {"load_has_priority", soak.has_priority()},
                           {"measured_busy", !note.empty()},
                           {"interrupted", interruption.came()},
                           {"scenarios", list}};
  if (soak.load_of_1_8()) report["measured_slow_down_of_1.8"] = *soak.load_of_1_8();
  fmt::print("{}", serving.json ? report.dump(1) + "\n" : text);
  if (interruption.came()) interruption.obey();
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
