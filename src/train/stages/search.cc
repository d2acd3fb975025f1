#include "base/try.h"
#include "graph/cost.h"
#include "train/stages/search_options.h"
#include "train/stages/stages.h"
#include "train/torch_evaluator.h"

namespace concertina::train {

Status search(const Run& run) {
  const Recipe::Search& recipe = run.recipe().search;
  CONCERTINA_ASSIGN(const ChannelGroups groups, divide_channels(run.graph(), recipe.groups));
  CONCERTINA_ASSIGN(TorchEvaluator evaluator, TorchEvaluator::make(run, recipe.images));
  CONCERTINA_ASSIGN(Journal journal, open_journal(run, groups));
  CONCERTINA_TRY(progressive_search(run.graph(), groups, evaluator, search_options(run, groups), journal,
                                    run.progress()));
  return {};
}

}  // namespace concertina::train
