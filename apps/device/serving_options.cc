#include "device/serving_options.h"

#include <fmt/format.h>

#include <filesystem>

#include "device/options.h"
#include "profile/busy_machine.h"
#include "simulation/policies.h"

namespace concertina::apps {
namespace {

/// The recorded traces: beside an installed program, else in the source tree.
std::filesystem::path traces_folder() {
  std::error_code unknown;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", unknown);
  const auto installed = program.parent_path().parent_path() / "share" / "concertina" / "traces";
  return std::filesystem::is_directory(installed, unknown) ? installed : CONCERTINA_TRACES;
}

}  // namespace

void add_serving_options(CLI::App* verb, ServingOptions& options) {
  options.scenario.traces = traces_folder();
  add_model_argument(verb, options.model);
  add_model_options(verb, options.loading);
  add_cache_option(verb, options.loading);
  verb->add_option("--latency-table", options.session.latency_table,
                   "table of concertina profile; without it, the sub-nets are measured now")
      ->type_name("FILE");
  verb->add_flag("--other-machine", options.session.other_machine,
                 "allow a latency table of another machine");
  add_run_options(verb, options.session.threads, options.session.batch);
  add_list_option(verb, "--arrivals", options.arrivals,
                  "poisson, gamma:CV2, bursts:BURST:SHARE:LENGTH, ramp:FROM:TO, step:FROM:TO, azure_code, "
                  "azure_conv, or a file with a time in seconds on each line; several: a,b");
  add_list_option(verb, "--contention", options.contentions,
                  "what slows the machine: none, step:FACTOR:FROM:UNTIL (shares of the run), "
                  "two-state:FACTOR:SLOW_SECONDS:QUIET_SECONDS; several: a,b");
  add_list_option(verb, "--policy", options.policies,
                  "all, concertina, alert, slackfit, hysteresis, fixed:N (a sub-net); several: a,b");
  add_requests_option(verb, options.scenario.requests, "requests of each stream");
  verb->add_option("--load", options.scenario.load,
                   "the share of the time that the largest sub-net would need for all requests")
      ->capture_default_str();
  verb->add_option("--deadline", options.scenario.deadline_ms,
                   "ms from a request's arrival; 0: five times the largest sub-net's median")
      ->capture_default_str();
  verb->add_option("--quantile", options.scenario.quantile, "share of the answers that must be in time")
      ->capture_default_str();
  add_seed_option(verb, options.scenario.seed, "seed of all random numbers");
  add_json_option(verb, options.json);
}

std::string busy_note(const std::vector<control::SubnetProfile>& sizes) {
  std::vector<latency::TimeQuantiles> times;
  for (const control::SubnetProfile& size : sizes) times.push_back(size.times);
  const double tail = profile::tail(times);
  if (tail <= profile::kLongestTail) return "";
  return fmt::format(
      "The sub-nets were measured on a busy machine: one run in a hundred took {:.1f} times as long as usual. "
      "What follows is of little use; end other programs and run concertina profile again.",
      tail);
}

std::vector<std::string> chosen_policies(const ServingOptions& options, std::size_t sizes) {
  std::vector<std::string> chosen;
  for (const std::string& policy : options.policies) {
    if (policy == "all") {
      for (std::string& name : simulation::policy_names(sizes)) chosen.push_back(std::move(name));
    } else {
      chosen.push_back(policy);
    }
  }
  return chosen;
}

std::vector<simulation::ScenarioOptions> scenarios(const ServingOptions& options) {
  std::vector<simulation::ScenarioOptions> all;
  for (const std::string& contention : options.contentions) {
    for (const std::string& arrivals : options.arrivals) {
      all.push_back(options.scenario);
      all.back().arrivals = arrivals;
      all.back().contention = contention;
    }
  }
  return all;
}

std::string name_of(const simulation::ScenarioOptions& scenario) {
  return fmt::format("{}, {}", scenario.arrivals, scenario.contention);
}

Table metrics_table(std::vector<Table::Column> more) {
  std::vector<Table::Column> columns = {{"policy", "policy"},
                                        {"in time", "on_time_rate"},
                                        {"accuracy", "accuracy"},
                                        {"yield", "yield"},
                                        {"of optimum", ""},
                                        {"late", "late_rate"},
                                        {"shed", "shed_rate"},
                                        {"p50 ms", "p50_ms"},
                                        {"p99 ms", "p99_ms"},
                                        {"p99.9 ms", "p999_ms"},
                                        {"switches/s", "switches_per_second"},
                                        {"", "miss_rate"},
                                        {"", "shed"},
                                        {"", "requests"},
                                        {"", "shares"}};
  columns.insert(columns.end(), more.begin(), more.end());
  return Table(std::move(columns));
}

std::vector<Table::Cell> metrics_row(const std::string& policy, const simulation::Metrics& metrics,
                                     double optimum) {
  const auto of_requests = [&](int count) {
    return metrics.requests > 0 ? static_cast<double>(count) / metrics.requests : 0.0;
  };
  return {words(policy),
          percent(metrics.on_time_rate),
          percent(metrics.accuracy),
          percent(metrics.yield),
          optimum >= metrics.yield && optimum > 0 ? percent(metrics.yield / optimum) : words("-"),
          percent(of_requests(metrics.answered - metrics.on_time)),
          percent(of_requests(metrics.shed)),
          fixed(metrics.p50_ms, 3),
          fixed(metrics.p99_ms, 3),
          fixed(metrics.p999_ms, 3),
          fixed(metrics.switches_per_second, 1),
          unseen(metrics.miss_rate),
          unseen(metrics.shed),
          unseen(metrics.requests),
          unseen(metrics.shares)};
}

}  // namespace concertina::apps
