#include <fmt/format.h>

#include "base/try.h"
#include "graph/branches.h"
#include "graph/cost.h"
#include "graph/resolution.h"
#include "recipe/selected_subnets.h"
#include "search/selection.h"
#include "train/search/search_options.h"
#include "train/search/torch_evaluator.h"
#include "train/stages/stages.h"

namespace concertina::train {
namespace {

std::vector<search::TrajectoryStep> candidates(const Run& run,
                                               const std::vector<search::TrajectoryStep>& trajectory) {
  if (run.recipe().select.rule == recipe::Reselection::pareto) return trajectory;
  std::vector<search::TrajectoryStep> kept;
  for (const int i : search::drop_dominated(trajectory)) kept.push_back(trajectory[i]);
  return kept;
}

/// The sub-nets of a uniformly slimmable network: every width of the lattice from 1 down to
/// search.end_fraction, or as many of them as are wanted, evenly spaced in log MACs. With search.depth each
/// one keeps the same share of its depth, with search.resolution that of its resolution, and the last is the
/// first of no more MACs.
std::vector<Subnet> uniform_subnets(const Run& run) {
  const recipe::Recipe::Search& recipe = run.recipe().search;
  std::vector<Subnet> all, chosen;
  std::vector<search::SelectionPoint> points;
  const auto end = static_cast<double>(search_options(run).end_macs);
  for (int kept = recipe.groups; kept >= recipe::groups_at_end(recipe); --kept) {
    Subnet subnet = uniform_subnet(run.groups(), kept);
    const double share = static_cast<double>(kept) / recipe.groups;
    if (*recipe.depth) subnet = keep_depth(run.graph(), subnet, share);
    if (*recipe.resolution) subnet = keep_resolution(run.graph(), subnet, share);
    if (!all.empty() && subnet == all.back()) continue;  // rounded up to the same multiples
    all.push_back(std::move(subnet));
    const auto macs = static_cast<double>(cost(run.graph(), all.back()).macs);
    points.push_back({.cost = macs, .accuracy = macs});  // so that none dominates another
    if (macs <= end) break;
  }
  for (const int i : search::thin(points, run.recipe().select.subnets)) chosen.push_back(all[i]);
  return chosen;
}

struct Chosen {
  std::vector<Subnet> subnets;
  search::Spending spent = {};
};

Result<Chosen> searched_subnets(const Run& run) {
  ASSIGN_OR_RETURN(const search::Journal journal, open_journal(run));
  if (journal.steps().empty())
    return Error{"the search's journal is empty; run concertina-train search again"};
  ASSIGN_OR_RETURN(TorchEvaluator evaluator, TorchEvaluator::make(run, run.recipe().select.images));
  RETURN_IF_ERROR(evaluator.restore(journal.steps().back().weights_version));
  ASSIGN_OR_RETURN(const auto selected, search::reselect(candidates(run, journal.steps()), evaluator,
                                                         run.recipe().select.subnets, run.progress()));
  Chosen chosen{.subnets = {}, .spent = evaluator.spent()};
  for (const search::SelectedSubnet& one : selected) chosen.subnets.push_back(one.subnet);
  return chosen;
}

}  // namespace

Result<search::Spending> select(const Run& run) {
  Chosen chosen;
  const recipe::SearchMethod method = run.recipe().search.method;
  switch (method) {
    case recipe::SearchMethod::progressive: {
      ASSIGN_OR_RETURN(chosen, searched_subnets(run));
      break;
    }
    case recipe::SearchMethod::uniform:
      chosen.subnets = uniform_subnets(run);
      break;
    case recipe::SearchMethod::given:
      chosen.subnets = run.given_subnets();
      break;
  }
  if (method != recipe::SearchMethod::given &&
      static_cast<int>(chosen.subnets.size()) < run.recipe().select.subnets) {
    run.progress().message(
        fmt::format("select: there are only {} sub-nets; all are kept", chosen.subnets.size()));
  }
  RETURN_IF_ERROR(run.processes().first_does([&] {
    return recipe::write_subnets(run.file(recipe::Stage::select, "subnets.json"), run.graph(),
                                 chosen.subnets);
  }));
  return chosen.spent;
}

}  // namespace concertina::train
