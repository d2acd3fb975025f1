#include "base/try.h"
#include "recipe/selected_subnets.h"
#include "search/refine_chain.h"
#include "train/joint/joint_state.h"
#include "train/search/search_options.h"
#include "train/search/torch_evaluator.h"
#include "train/stages/stages.h"

namespace concertina::train {

Result<search::Spending> refine(const Run& run) {
  const recipe::Recipe& recipe = run.recipe();
  ASSIGN_OR_RETURN(auto subnets,
                   recipe::read_subnets(run.file(recipe::Stage::select, "subnets.json"), run.graph()));
  search::Spending spent;
  if (recipe.refine.images > 0) {
    ASSIGN_OR_RETURN(const Tensors weights, read_joint_weights(run, 0));
    ASSIGN_OR_RETURN(TorchEvaluator evaluator, TorchEvaluator::make(run, weights, recipe.refine.images));
    search::RefineOptions options{.floor_groups = recipe.search.floor_groups,
                                  .cost = search_options(run).cost};
    if (recipe.search.method == recipe::SearchMethod::progressive) {
      ASSIGN_OR_RETURN(const search::Journal journal, open_journal(run));
      for (const search::TrajectoryStep& step : journal.steps()) options.trajectory.push_back(step.subnet);
    }
    ASSIGN_OR_RETURN(const auto refined, search::refine_chain(run.graph(), run.groups(), subnets, evaluator,
                                                              options, run.progress()));
    subnets.clear();
    for (const search::SelectedSubnet& one : refined) subnets.push_back(one.subnet);
    spent = evaluator.spent();
  }
  RETURN_IF_ERROR(
      recipe::write_subnets(run.file(recipe::Stage::refine, "subnets.json"), run.graph(), subnets));
  return spent;
}

}  // namespace concertina::train
