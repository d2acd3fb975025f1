#include <fmt/format.h>

#include "base/try.h"
#include "search/selection.h"
#include "train/selected_subnets.h"
#include "train/stages/search_options.h"
#include "train/stages/stages.h"
#include "train/torch_evaluator.h"

namespace concertina::train {
namespace {

std::vector<TrajectoryStep> candidates(const Run& run, const std::vector<TrajectoryStep>& trajectory) {
  if (run.recipe().select.rule == Reselection::pareto) return trajectory;
  std::vector<TrajectoryStep> kept;
  for (const int i : drop_dominated(trajectory)) kept.push_back(trajectory[static_cast<std::size_t>(i)]);
  return kept;
}

}  // namespace

Status select(const Run& run) {
  CONCERTINA_ASSIGN(const ChannelGroups groups, divide_channels(run.graph(), run.recipe().search.groups));
  CONCERTINA_ASSIGN(const Journal journal, open_journal(run, groups));
  if (journal.steps().empty())
    return Error{"the search's journal is empty; run concertina-train search again"};
  CONCERTINA_ASSIGN(TorchEvaluator evaluator, TorchEvaluator::make(run, run.recipe().data.validation));
  CONCERTINA_TRY(evaluator.restore(journal.steps().back().weights_version));
  CONCERTINA_ASSIGN(const auto chosen,
                    reselect(candidates(run, journal.steps()), evaluator,
                             {.count = run.recipe().select.subnets, .cost = {}}, run.progress()));
  if (static_cast<int>(chosen.size()) < run.recipe().select.subnets) {
    run.progress().message(
        fmt::format("select: the search found only {} sub-nets; all are kept", chosen.size()));
  }
  std::vector<Subnet> subnets;
  for (const SelectedSubnet& one : chosen) subnets.push_back(one.subnet);
  return write_subnets(run.file(Stage::select, "subnets.json"), run.graph(), subnets);
}

}  // namespace concertina::train
