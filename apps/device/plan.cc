#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/try.h"
#include "common/table.h"
#include "device/options.h"
#include "device/verbs.h"
#include "profile/this_machine.h"
#include "slo/rule_table.h"

namespace concertina::apps {
namespace {

using namespace slo;
using Rows = std::vector<std::vector<std::string>>;

struct PlanOptions {
  std::string model;
  std::string slo;
  std::string latency_table;
  std::string out;
  bool other_machine = false;
  bool json = false;
};

/// What was planned, and of what.
struct Plan {
  slo::Slo slo;
  slo::Solution solution;
  slo::RuleTable table;
};

Status check_machine(const latency::LatencyTable& table) {
  return profile::check_this_machine(
      table.machine, "the latency table was measured",
      "run concertina profile here, or plan for that machine with --other-machine");
}

Result<Plan> make_plan(const PlanOptions& options) {
  ASSIGN_OR_RETURN(slo::Slo slo, slo::Slo::read(options.slo));
  ASSIGN_OR_RETURN(const latency::LatencyTable latency, latency::LatencyTable::read(options.latency_table));
  if (!options.other_machine) RETURN_IF_ERROR(check_machine(latency));
  ASSIGN_OR_RETURN(const auto model, Model::load(options.model, {.precision = latency.precision}));
  ASSIGN_OR_RETURN(const std::vector<slo::Candidate> candidates,
                   slo::make_candidates(model->subnets(), latency));
  slo::Solution solution = slo::solve(slo, candidates, slo::RuleTable::kMaxDesigns);
  slo::RuleTable table = slo::make_rule_table(slo, solution, model->subnets(), latency);
  return Plan{std::move(slo), std::move(solution), std::move(table)};
}

std::string machine_of(const slo::AnticipatedState& state) {
  return state.machine ? std::string(name_of(*state.machine)) : "any";
}

Table design_table(const slo::Solution& solution) {
  Table table({{"design", ""},
               {"sub-net", "subnet"},
               {"threads", "threads"},
               {"batch", "batch"},
               {"accuracy", "accuracy"},
               {"MMAC", "macs"},
               {"median run", "median_ms"},
               {"memory", "memory_bytes"}});
  for (int number = 0; const slo::Candidate& c : solution.designs) {
    table.add({whole(number++),
               whole(c.design.subnet),
               whole(c.design.threads),
               whole(c.design.batch),
               {slo::with_unit(slo::Metric::accuracy, c.accuracy), c.accuracy},
               {fmt::format("{:.2f}", c.macs / 1e6), c.macs},
               {slo::with_unit(slo::Metric::latency, c.times.median()), c.times.median()},
               {slo::with_unit(slo::Metric::memory, c.memory), c.memory}});
  }
  return table;
}

std::string list_states(const Plan& plan) {
  Rows rows = {
      {"state", "machine", "slow-down", "requests/s", "design", "throughput", "in use", "holds up to"}};
  for (std::size_t i = 0; i < plan.slo.states.size(); ++i) {
    const slo::AnticipatedState& state = plan.slo.states[i];
    const slo::StateOutcome& outcome = plan.solution.outcomes[i];
    const slo::Candidate& design = plan.solution.designs[outcome.design];
    const auto value = [&](slo::Metric metric) {
      return slo::with_unit(metric, slo::predict(design, state, {metric}));
    };
    rows.push_back({state.name, machine_of(state), fmt::format("{:g}", state.slow_down),
                    state.arrivals > 0 ? fmt::format("{:g}", state.arrivals) : "-",
                    std::to_string(outcome.design), value(slo::Metric::throughput),
                    value(slo::Metric::utilisation),
                    outcome.cost.feasible() ? fmt::format("{:.3g}", outcome.holds_up_to) : "-"});
  }
  return format_table(rows);
}

std::string margin(const slo::Bound& bound, double value) {
  if (!std::isfinite(value)) return "-";
  const double room = slo::more_is_better(bound.of.metric) ? value - bound.limit : bound.limit - value;
  return fmt::format("{:+.1f} %", 100 * room / bound.limit);
}

std::string list_bounds(const Plan& plan) {
  Rows rows = {{"state", "bound", "limit", "predicted", "margin"}};
  for (std::size_t i = 0; i < plan.slo.states.size(); ++i) {
    const slo::AnticipatedState& state = plan.slo.states[i];
    for (const slo::Bound& bound : state.bounds) {
      const double value =
          slo::predict(plan.solution.designs[plan.solution.outcomes[i].design], state, bound.of);
      rows.push_back({state.name, to_string(bound.of), slo::with_unit(bound.of.metric, bound.limit),
                      std::isfinite(value) ? slo::with_unit(bound.of.metric, value) : "without end",
                      margin(bound, value)});
    }
  }
  return rows.size() > 1 ? "\n" + format_table(rows) : "";
}

nlohmann::json number_or_null(double value) {
  return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json();
}

nlohmann::json state_json(const slo::AnticipatedState& state, const Plan& plan,
                          const slo::StateOutcome& outcome) {
  const slo::Candidate& design = plan.solution.designs[outcome.design];
  nlohmann::json bounds = nlohmann::json::array();
  for (const slo::Bound& bound : state.bounds) {
    bounds.push_back({{"metric", name_of(bound.of.metric)},
                      {"limit", bound.limit},
                      {"predicted", number_or_null(slo::predict(design, state, bound.of))}});
    if (bound.of.metric == slo::Metric::latency) bounds.back()["quantile"] = bound.of.quantile;
  }
  return {{"name", state.name},
          {"machine", machine_of(state)},
          {"slow_down", state.slow_down},
          {"arrivals", state.arrivals},
          {"design", outcome.design},
          {"feasible", outcome.cost.feasible()},
          {"note", slo::describe_violation(state, plan.solution, outcome)},
          {"excess", outcome.cost.excess},
          {"loss", outcome.cost.loss},
          {"least_loss", outcome.best.loss},
          {"holds_up_to", outcome.holds_up_to},
          {"throughput", slo::predict(design, state, {slo::Metric::throughput})},
          {"utilisation", slo::predict(design, state, {slo::Metric::utilisation})},
          {"bounds", bounds}};
}

std::string to_json(const Plan& plan, const std::string& out) {
  nlohmann::json states = nlohmann::json::array();
  for (std::size_t i = 0; i < plan.slo.states.size(); ++i)
    states.push_back(state_json(plan.slo.states[i], plan, plan.solution.outcomes[i]));
  const nlohmann::json all = {
      {"designs", design_table(plan.solution).json()}, {"states", states}, {"out", out}};
  return all.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string to_text(const Plan& plan, const std::string& out) {
  std::string text = design_table(plan.solution).text() + "\n" + list_states(plan) + list_bounds(plan) + "\n";
  for (std::size_t i = 0; i < plan.slo.states.size(); ++i) {
    const std::string note =
        slo::describe_violation(plan.slo.states[i], plan.solution, plan.solution.outcomes[i]);
    if (!note.empty()) text += fmt::format("{}: {}\n", plan.slo.states[i].name, note);
  }
  return text + fmt::format("The rules are in {}.\n", out);
}

/// Why the plan does not keep all bounds; nothing if it does.
Verdict judge(const Plan& plan) {
  std::string states;
  for (std::size_t i = 0; i < plan.slo.states.size(); ++i) {
    if (plan.solution.outcomes[i].cost.feasible()) continue;
    states += fmt::format("{}'{}'", states.empty() ? "" : ", ", plan.slo.states[i].name);
  }
  if (states.empty()) return {};
  return {fmt::format("no design keeps the bounds in {}; the plan has the nearest", states)};
}

Result<Verdict> plan_model(PlanOptions options) {
  ASSIGN_OR_RETURN(const Plan plan, make_plan(options));
  RETURN_IF_ERROR(choose_out(options.out, options.model, ".plan.json"));
  RETURN_IF_ERROR(write_file(options.out, plan.table.to_json()));
  fmt::print("{}", options.json ? to_json(plan, options.out) : to_text(plan, options.out));
  return judge(plan);
}

void define(CLI::App* verb, PlanOptions& options) {
  add_model_argument(verb, options.model);
  verb->add_option("--slo", options.slo, "service-level objectives and states (TOML)")
      ->required()
      ->type_name("FILE");
  verb->add_option("--latency-table", options.latency_table, "table of concertina profile for the model")
      ->required()
      ->type_name("FILE");
  add_out_option(verb, options.out, "the rule table (default: <model>.plan.json)");
  verb->add_flag("--other-machine", options.other_machine, "plan for the machine of the table, not this one");
  add_json_option(verb, options.json);
}

}  // namespace

void add_plan(CLI::App& program, Action& chosen) {
  add_verb<PlanOptions>(
      program, chosen, "plan", "Choose a few designs for objectives and anticipated states",
      "  concertina plan model.onnx --slo slo.toml --latency-table model.latency.json\n"
      "docs/slo.md tells what an SLO file says. Exits with 1 if a state's bounds cannot be kept.\n",
      define, plan_model);
}

}  // namespace concertina::apps
