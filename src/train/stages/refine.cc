#include "base/try.h"
#include "search/selection.h"
#include "train/joint_weights.h"
#include "train/selected_subnets.h"
#include "train/stages/search_options.h"
#include "train/stages/stages.h"
#include "train/torch_evaluator.h"

namespace concertina::train {

Result<Spending> refine(const Run& run) {
  const Recipe& recipe = run.recipe();
  CONCERTINA_ASSIGN(auto subnets, read_subnets(run.file(Stage::select, "subnets.json"), run.graph()));
  Spending spent;
  if (recipe.refine.images > 0) {
    const ChannelGroups& groups = run.groups();
    CONCERTINA_ASSIGN(const Tensors weights, read_joint_weights(run, 0));
    CONCERTINA_ASSIGN(TorchEvaluator evaluator, TorchEvaluator::make(run, weights, recipe.refine.images));
    RefineOptions options{.floor_groups = recipe.search.floor_groups,
                          .cost = search_options(run, groups).cost};
    if (recipe.search.method == SearchMethod::progressive) {
      CONCERTINA_ASSIGN(const Journal journal, open_journal(run, groups));
      for (const TrajectoryStep& step : journal.steps()) options.trajectory.push_back(step.subnet);
    }
    CONCERTINA_ASSIGN(const auto refined,
                      refine_chain(run.graph(), groups, subnets, evaluator, options, run.progress()));
    subnets.clear();
    for (const SelectedSubnet& one : refined) subnets.push_back(one.subnet);
    spent = evaluator.spent();
  }
  CONCERTINA_TRY(write_subnets(run.file(Stage::refine, "subnets.json"), run.graph(), subnets));
  return spent;
}

}  // namespace concertina::train
