#include <fmt/format.h>

#include "base/machine.h"
#include "base/try.h"
#include "kernels/layout.h"
#include "train/search/search_options.h"
#include "train/search/torch_evaluator.h"
#include "train/stages/stages.h"

namespace concertina::train {

Result<search::Spending> search(const Run& run) {
  const recipe::Recipe::Search& recipe = run.recipe().search;
  if (recipe.method != recipe::SearchMethod::progressive) return search::Spending{};
  if (const auto table = run.latency_table()) {
    const bool here =
        table->machine.cpu == cpu_name() && table->machine.instruction_set == kernels::target_name();
    run.progress().message(
        fmt::format("search: milliseconds are those of {}, {}", latency::describe_layers(*table),
                    here ? "a machine like this one"
                         : fmt::format("not of this machine, {}, {}", cpu_name(), kernels::target_name())));
  }
  ASSIGN_OR_RETURN(TorchEvaluator evaluator, TorchEvaluator::make(run, recipe.images));
  ASSIGN_OR_RETURN(search::Journal journal, open_journal(run));
  ASSIGN_OR_RETURN(const auto trajectory,
                   search::progressive_search(run.graph(), run.groups(), evaluator, search_options(run),
                                              journal, run.progress()));
  search::Spending spent;
  for (const search::TrajectoryStep& step : trajectory) spent += step.spent;
  return spent;
}

}  // namespace concertina::train
