#include "train/stages/search_options.h"

#include <algorithm>
#include <cmath>

#include "graph/cost.h"

namespace concertina::train {

int groups_at_end(const Recipe::Search& recipe) {
  return std::clamp(static_cast<int>(std::lround(recipe.end_fraction * recipe.groups)), 1, recipe.groups);
}

namespace {

/// What a step saves. "both" is the mean of the shares of the full network's MACs and parameters, so that a
/// chain is good on either axis.
CostFunction cost_function(const Graph& graph, SearchCost wanted) {
  if (wanted == SearchCost::macs) return {};
  const Cost full = cost(graph, full_subnet(graph));
  return [&graph, wanted, full](const Subnet& subnet) {
    const Cost c = cost(graph, subnet);
    const double parameters = static_cast<double>(c.parameters) / static_cast<double>(full.parameters);
    if (wanted == SearchCost::parameters) return parameters;
    return (parameters + static_cast<double>(c.macs) / static_cast<double>(full.macs)) / 2;
  };
}

}  // namespace

SearchOptions search_options(const Run& run, const ChannelGroups& groups) {
  const Recipe::Search& recipe = run.recipe().search;
  return {.criterion = recipe.criterion,
          .cost = cost_function(run.graph(), recipe.cost),
          .end_macs = cost(run.graph(), uniform_subnet(groups, groups_at_end(recipe))).macs,
          .floor_groups = recipe.floor_groups,
          .fine_tune_below = recipe.threshold,
          .refresh_every = recipe.refresh_every};
}

Result<Journal> open_journal(const Run& run, const ChannelGroups& groups) {
  return Journal::open(
      run.file(Stage::search, "journal.jsonl"),
      search_fingerprint(run.graph(), groups, search_options(run, groups), run.fingerprint(Stage::search)));
}

}  // namespace concertina::train
