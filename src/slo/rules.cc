#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "slo/rule_table.h"

namespace concertina::slo {
namespace {

/// Sets where the rule ends and where one comes back to it. `next`: of the next state of the same machine.
void set_limits(Rule& rule, const AnticipatedState& state, const AnticipatedState& next, double holds_up_to,
                double margin) {
  const double wavering = state.slow_down * (1 + margin);
  rule.up_to = std::min(std::max(holds_up_to, wavering), next.slow_down);
  rule.back_below = std::max(rule.up_to / (1 + margin), std::sqrt(state.slow_down * rule.up_to));
}

double min_accuracy_of(const AnticipatedState& state) {
  for (const Bound& bound : state.bounds) {
    if (bound.of.metric == Metric::accuracy) return bound.limit;
  }
  return 0;
}

std::string describe(const Bound& bound, double value) {
  const Metric metric = bound.of.metric;
  return fmt::format("{} of {} {} {} by {} ({:.1f} %)", to_string(bound.of), with_unit(metric, value),
                     more_is_better(metric) ? "falls short of" : "exceeds", with_unit(metric, bound.limit),
                     with_unit(metric, std::abs(value - bound.limit)),
                     100 * shortfall(metric, value, bound.limit));
}

/// Those of one machine state stand together, in the order of their slow-downs.
std::vector<std::size_t> order_of(const std::vector<AnticipatedState>& states) {
  std::vector<std::size_t> order(states.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::tie(states[a].machine, states[a].slow_down) <
           std::tie(states[b].machine, states[b].slow_down);
  });
  return order;
}

}  // namespace

RuleTable make_rule_table(const Slo& slo, const Solution& solution, std::span<const SubnetInfo> subnets,
                          const latency::LatencyTable& measured) {
  RuleTable table;
  table.machine.cpu = measured.machine.cpu;
  table.machine.instruction_set = measured.machine.instruction_set;
  table.precision = measured.precision;
  for (const SubnetInfo& info : subnets) table.subnets.push_back({info.subnet, info.validation_accuracy});
  for (const Candidate& design : solution.designs) table.designs.push_back(design.design);
  const std::vector<std::size_t> order = order_of(slo.states);
  for (std::size_t i = 0; i < order.size(); ++i) {
    const AnticipatedState& state = slo.states[order[i]];
    const StateOutcome& outcome = solution.outcomes[order[i]];
    Rule rule{.name = state.name,
              .machine = state.machine,
              .design = static_cast<int>(outcome.design),
              .min_accuracy = min_accuracy_of(state),
              .feasible = outcome.cost.feasible(),
              .note = describe_violation(state, solution, outcome)};
    if (i + 1 < order.size() && slo.states[order[i + 1]].machine == state.machine)
      set_limits(rule, state, slo.states[order[i + 1]], outcome.holds_up_to, slo.switch_margin);
    table.rules.push_back(std::move(rule));
  }
  return table;
}

std::string describe_violation(const AnticipatedState& state, const Solution& solution,
                               const StateOutcome& outcome) {
  if (outcome.cost.feasible()) return {};
  const Candidate& design = solution.designs[outcome.design];
  std::vector<std::string> parts;
  if (outcome.cost.overload > 0) {
    parts.push_back(fmt::format("requests come faster than they are answered, {} a second and at most {}",
                                state.arrivals,
                                with_unit(Metric::throughput, predict(design, state, {Metric::throughput}))));
  }
  for (const Bound& bound : state.bounds) {
    const double value = predict(design, state, bound.of);
    if (std::isfinite(value) && shortfall(bound.of.metric, value, bound.limit) > 0)
      parts.push_back(describe(bound, value));
  }
  return fmt::format(
      "{}: {}", outcome.best.feasible() ? "none of the few designs is feasible" : "no design is feasible",
      fmt::join(parts, ", "));
}

}  // namespace concertina::slo
