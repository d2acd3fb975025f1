#include "base/try.h"
#include "graph/cost.h"
#include "train/stages/search_options.h"
#include "train/stages/stages.h"
#include "train/torch_evaluator.h"

namespace concertina::train {

Result<Spending> search(const Run& run) {
  const Recipe::Search& recipe = run.recipe().search;
  if (recipe.method != SearchMethod::progressive) return Spending{};
  CONCERTINA_ASSIGN(const ChannelGroups groups, divide_channels(run.graph(), recipe.groups));
  CONCERTINA_ASSIGN(TorchEvaluator evaluator, TorchEvaluator::make(run, recipe.images));
  CONCERTINA_ASSIGN(Journal journal, open_journal(run, groups));
  CONCERTINA_ASSIGN(const auto trajectory,
                    progressive_search(run.graph(), groups, evaluator, search_options(run, groups), journal,
                                       run.progress()));
  Spending spent;
  for (const TrajectoryStep& step : trajectory) spent += step.spent;
  return spent;
}

}  // namespace concertina::train
