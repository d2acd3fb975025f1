#include "simulation/scheduling/schedule.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/statistics.h"
#include "base/try.h"
#include "common/progress_bar.h"
#include "common/table.h"
#include "device/options.h"
#include "device/timing.h"
#include "device/verbs.h"
#include "simulation/scheduling/scheduling_policies.h"
#include "simulation/scheduling/simulated_executor.h"

namespace concertina::apps {
namespace {

struct ScheduleOptions {
  std::vector<std::string> models;
  ModelOptions loading;
  std::vector<double> loads = {1.0};
  std::vector<std::string> policies = {"all"};
  std::string process = "poisson";
  simulation::RequestOptions arrivals;
  simulation::StepSimulationOptions simulated;
  simulation::SchedulingOptions scheduling;
  int repeats = 5;
  int rounds = 100;
  bool real = false;
  bool cpu_time = false;
  bool json = false;
};

/// The models, loaded, and what they cost on this machine.
struct Tenants {
  std::unique_ptr<Clock> clock;
  std::unique_ptr<scheduler::SessionExecutor> executor;
  std::vector<scheduler::ModelCost> costs;
};

/// One figure of a schedule: for the table, and for JSON as it is.
struct Figure {
  const char* title;
  const char* key;
  double simulation::ScheduleMetrics::*value;
  double unit;  ///< what the table divides by
  int digits;
};

constexpr Figure kFigures[] = {
    {"violations %", "violation_rate", &simulation::ScheduleMetrics::violations, 0.01, 2},
    {"shed %", "shed_rate", &simulation::ScheduleMetrics::shed, 0.01, 2},
    {"ANTT", "antt", &simulation::ScheduleMetrics::antt, 1, 2},
    {"answers/s", "answers_per_second", &simulation::ScheduleMetrics::throughput, 1, 0},
    {"accuracy %", "accuracy", &simulation::ScheduleMetrics::accuracy, 0.01, 2},
    {"lost, points", "accuracy_lost", &simulation::ScheduleMetrics::accuracy_lost, 0.01, 2},
    {"right in time %", "right_in_time", &simulation::ScheduleMetrics::useful, 0.01, 2},
    {"interrupted", "interruptions_per_request", &simulation::ScheduleMetrics::preemptions, 1, 3},
    {"begun anew", "restarts_per_request", &simulation::ScheduleMetrics::restarts, 1, 3},
    {"decision us", "decision_us_per_step", &simulation::ScheduleMetrics::decision_us, 1, 2},
};

Result<Tenants> load_tenants(const ScheduleOptions& options) {
  Tenants tenants;
  std::vector<Session> sessions;
  for (const std::string& path : options.models) {
    ASSIGN_OR_RETURN(const auto model, Model::load(path, options.loading));
    ASSIGN_OR_RETURN(Session session, Session::make(model));
    RETURN_IF_ERROR(warm_up(session, 0, {}));
    tenants.costs.push_back(scheduler::untimed_cost(session, path));
    sessions.push_back(std::move(session));
  }
  if (options.cpu_time) {
    tenants.clock = std::make_unique<simulation::ThreadCpuClock>();
  } else {
    tenants.clock = std::make_unique<SteadyClock>();
  }
  tenants.executor = std::make_unique<scheduler::SessionExecutor>(std::move(sessions), *tenants.clock);
  RETURN_IF_ERROR(scheduler::measure_costs(*tenants.executor, options.rounds, tenants.costs));
  return tenants;
}

Result<simulation::ScheduleMetrics> run_once(Tenants& tenants, const std::string& policy,
                                             const simulation::RequestOptions& arrivals,
                                             const ScheduleOptions& options) {
  ASSIGN_OR_RETURN(const auto chooser,
                   simulation::make_scheduling_policy(policy, tenants.costs, options.scheduling));
  ASSIGN_OR_RETURN(const std::vector<simulation::Arrival> requests,
                   simulation::make_requests(tenants.costs, arrivals));
  simulation::StepSimulationOptions simulated = options.simulated;
  simulated.seed = arrivals.seed;
  simulation::SimulatedExecutor on_paper(tenants.costs, simulated);
  tenants.executor->restart_clock();
  scheduler::StepExecutor& executor =
      options.real ? static_cast<scheduler::StepExecutor&>(*tenants.executor) : on_paper;
  ASSIGN_OR_RETURN(const simulation::ScheduleLog log,
                   simulation::run_schedule(tenants.costs, requests, *chooser, executor));
  return simulation::measure(log, tenants.costs);
}

/// What the repeats gave for one policy at one load.
struct ScheduleRow {
  double load = 0;
  std::string policy;
  std::vector<simulation::ScheduleMetrics> repeats;

  Spread of(const Figure& figure) const {
    std::vector<double> values;
    for (const simulation::ScheduleMetrics& metrics : repeats) values.push_back(metrics.*figure.value);
    return spread(values);
  }
};

/// Policies take turns, and times are measured anew for each repeat of a real run, so that what changes on
/// the machine meets all of them and the load is what it is called.
Result<std::vector<ScheduleRow>> run_all(Tenants& tenants, const std::vector<std::string>& policies,
                                         const ScheduleOptions& options) {
  ProgressBar progress;
  progress.start("schedule",
                 static_cast<std::int64_t>(options.loads.size() * policies.size()) * options.repeats);
  std::vector<ScheduleRow> rows;
  std::int64_t done = 0;
  for (const double load : options.loads) {
    const std::size_t first = rows.size();
    for (const std::string& policy : policies)
      rows.push_back({.load = load, .policy = policy, .repeats = {}});
    for (int repeat = 0; repeat < options.repeats; ++repeat) {
      if (options.real)
        RETURN_IF_ERROR(scheduler::measure_costs(*tenants.executor, options.rounds, tenants.costs));
      for (std::size_t p = 0; p < policies.size(); ++p) {
        simulation::RequestOptions arrivals = options.arrivals;
        arrivals.load = load;
        arrivals.seed += static_cast<std::uint64_t>(repeat);
        ASSIGN_OR_RETURN(simulation::ScheduleMetrics metrics,
                         run_once(tenants, policies[p], arrivals, options));
        rows[first + p].repeats.push_back(metrics);
        progress.update(++done, policies[p]);
      }
    }
  }
  return rows;
}

Table table_of(const std::vector<ScheduleRow>& rows) {
  std::vector<Table::Column> columns = {{"load", "load"}, {"policy", "policy"}};
  for (const Figure& figure : kFigures) columns.push_back({figure.title, figure.key});
  Table table(std::move(columns));
  for (const ScheduleRow& row : rows) {
    std::vector<Table::Cell> cells = {fixed(row.load, 2), words(row.policy)};
    for (const Figure& figure : kFigures) {
      const Spread value = row.of(figure);
      cells.push_back({fmt::format("{:.{}f} ± {:.{}f}", value.mean / figure.unit, figure.digits,
                                   value.deviation / figure.unit, figure.digits),
                       nlohmann::json{{"mean", value.mean}, {"deviation", value.deviation}}});
    }
    table.add(std::move(cells));
  }
  return table;
}

void print_text(const Tenants& tenants, const std::vector<ScheduleRow>& rows,
                const ScheduleOptions& options) {
  for (const scheduler::ModelCost& model : tenants.costs) {
    fmt::print("{}: {} sizes, {:.3f} to {:.3f} ms, {} steps\n", model.name, model.sizes.size(),
               to_ms(model.isolated()), to_ms(model.sizes.back().total()), model.sizes.front().steps());
  }
  fmt::print("\n{}Mean ± standard deviation of {} repeat{}; {}.\n", table_of(rows).text(), options.repeats,
             options.repeats == 1 ? "" : "s",
             !options.real      ? "simulated"
             : options.cpu_time ? "run here, in the thread's processor time"
                                : "run here");
}

void print_json(const Tenants& tenants, const std::vector<ScheduleRow>& rows,
                const ScheduleOptions& options) {
  nlohmann::json models = nlohmann::json::array();
  for (const scheduler::ModelCost& model : tenants.costs) {
    models.push_back({{"model", model.name}, {"sizes", nlohmann::json::array()}});
    for (const scheduler::SizeCost& size : model.sizes) {
      models.back()["sizes"].push_back({{"milliseconds", to_ms(size.total())},
                                        {"steps", size.steps()},
                                        {"accuracy", size.accuracy},
                                        {"reported_accuracy", size.reported_accuracy}});
    }
  }
  const nlohmann::json all = {{"real", options.real},
                              {"cpu_time", options.cpu_time},
                              {"seed", options.arrivals.seed},
                              {"repeats", options.repeats},
                              {"requests", options.arrivals.requests},
                              {"deadline_multiple", options.arrivals.deadline_multiple},
                              {"models", std::move(models)},
                              {"schedules", table_of(rows).json()}};
  fmt::print("{}\n", all.dump(1));
}

Status schedule(ScheduleOptions options) {
  ASSIGN_OR_RETURN(options.arrivals.process, simulation::parse_arrivals(options.process, CONCERTINA_TRACES));
  std::vector<std::string> policies = options.policies;
  if (policies == std::vector<std::string>{"all"}) {
    policies.assign(simulation::scheduling_policies().begin(), simulation::scheduling_policies().end());
  }
  ASSIGN_OR_RETURN(Tenants tenants, load_tenants(options));
  ASSIGN_OR_RETURN(const std::vector<ScheduleRow> rows, run_all(tenants, policies, options));
  (options.json ? print_json : print_text)(tenants, rows, options);
  return {};
}

void define(CLI::App* verb, ScheduleOptions& options) {
  verb->add_option("MODEL", options.models, "dynamic models (.onnx); one twice counts as two")->required();
  in_range(
      add_list_option(
          verb, "--load", options.loads,
          "time that all requests need at the largest sub-nets, as a share of the time there is; several: a,b"),
      0.01, 100.0);
  add_list_option(verb, "--policy", options.policies,
                  "all, fcfs, edf, srtf, dysta, full-size, sizes; several: a,b");
  add_range_option(verb, "--deadline-multiple", options.arrivals.deadline_multiple,
                   "deadline, as a multiple of the time of a model's largest sub-net", 1.0, 1e6);
  verb->add_option("--arrivals", options.process,
                   "poisson, gamma:CV2, bursts, ramp, step, azure_code, azure_conv, or a trace's file")
      ->capture_default_str();
  add_requests_option(verb, options.arrivals.requests, "requests of all models together");
  add_seed_option(verb, options.arrivals.seed, "seed of all random numbers; each repeat takes the next one");
  add_range_option(verb, "--repeats", options.repeats, "repetitions with new random numbers", 1, 1000);
  add_range_option(verb, "--rounds", options.rounds, "rounds to time the steps of all models and sub-nets", 1,
                   1'000'000);
  add_range_option(verb, "--noise", options.simulated.noise, "simulation: spread of a run's time, as a share",
                   0.0, 2.0);
  add_range_option(verb, "--dysta-eta", options.scheduling.dysta_eta, "weight of deadlines in dysta", 0.0,
                   1e3);
  add_range_option(verb, "--reserve", options.scheduling.reserve,
                   "sizes: share of the time to a deadline that stays free", 0.0, 1.0);
  verb->add_flag("--real", options.real, "run the models; otherwise time is simulated");
  verb->add_flag("--cpu-time", options.cpu_time, "counts the thread's processor time, for shared machines");
  add_model_options(verb, options.loading);
  add_cache_option(verb, options.loading);
  add_json_option(verb, options.json);
}

}  // namespace

void add_schedule(CLI::App& program, Action& chosen) {
  add_verb<ScheduleOptions>(program, chosen, "schedule",
                            "Let several models share one thread, under every scheduling policy",
                            "  concertina schedule a.onnx b.onnx --load 0.95,1,1.05\n"
                            "  concertina schedule a.onnx b.onnx --policy edf,sizes --real\n",
                            define, schedule);
}

}  // namespace concertina::apps
