#include "train/search/search_options.h"

#include "base/text.h"
#include "base/try.h"
#include "graph/cost.h"

namespace concertina::train {
namespace {

/// What a step saves. "both" is the mean of the shares of the full network's MACs and parameters, so that a
/// chain is good on either axis.
search::CostFunction cost_function(const Run& run) {
  const Graph& graph = run.graph();
  const Cost full = cost(graph, full_subnet(graph));
  const auto parameters = [&graph, full](const Subnet& subnet) {
    return static_cast<double>(cost(graph, subnet).parameters) / static_cast<double>(full.parameters);
  };
  switch (run.recipe().search.cost) {
    case recipe::SearchCost::macs:
      return {};
    case recipe::SearchCost::parameters:
      return parameters;
    case recipe::SearchCost::both:
      return [&graph, full, parameters](const Subnet& subnet) {
        const double macs = static_cast<double>(cost(graph, subnet).macs) / static_cast<double>(full.macs);
        return (parameters(subnet) + macs) / 2;
      };
    case recipe::SearchCost::latency:
      return [&graph, table = run.latency_table()](const Subnet& subnet) {
        return table->layer_sum(graph, subnet);
      };
  }
  return {};
}

}  // namespace

search::SearchOptions search_options(const Run& run) {
  const recipe::Recipe::Search& recipe = run.recipe().search;
  return {.criterion = recipe.criterion,
          .cost = cost_function(run),
          .end_macs = cost(run.graph(), uniform_subnet(run.groups(), recipe::groups_at_end(recipe))).macs,
          .prior = recipe.prior,
          .tilt = recipe.tilt,
          .floor_groups = recipe.floor_groups,
          .axes = {.depth = *recipe.depth, .resolution = *recipe.resolution},
          .fine_tune_below = recipe.threshold,
          .refresh_every = recipe.refresh_every};
}

Result<search::Journal> open_journal(const Run& run) {
  search::Fingerprint fingerprint = search::search_fingerprint(run.graph(), run.groups(), search_options(run),
                                                               run.fingerprint(recipe::Stage::search));
  if (run.latency_table()) fingerprint["milliseconds"] = latency::describe_layers(*run.latency_table());
  const Processes& processes = run.processes();
  search::Journal journal = search::Journal::in_memory();
  std::string lines;
  RETURN_IF_ERROR(processes.first_does([&]() -> Status {
    ASSIGN_OR_RETURN(journal,
                     search::Journal::open(run.file(recipe::Stage::search, "journal.jsonl"), fingerprint));
    for (const search::TrajectoryStep& step : journal.steps()) lines += search::to_json(step) + "\n";
    return {};
  }));
  lines = processes.from_first(std::move(lines));
  if (processes.first()) return journal;
  for (const std::string_view line : split(lines, '\n')) {
    ASSIGN_OR_RETURN(search::TrajectoryStep step, search::parse_trajectory_step(line));
    RETURN_IF_ERROR(journal.append(std::move(step)));
  }
  return journal;
}

}  // namespace concertina::train
