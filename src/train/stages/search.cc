#include <fmt/format.h>

#include "base/machine.h"
#include "base/try.h"
#include "kernels/target.h"
#include "train/stages/search_options.h"
#include "train/stages/stages.h"
#include "train/torch_evaluator.h"

namespace concertina::train {

Result<Spending> search(const Run& run) {
  const Recipe::Search& recipe = run.recipe().search;
  if (recipe.method != SearchMethod::progressive) return Spending{};
  if (const auto table = run.latency_table()) {
    const bool here =
        table->machine.cpu == cpu_name() && table->machine.instruction_set == kernels::target_name();
    run.progress().message(
        fmt::format("search: milliseconds are those of {}, {}", describe_layers(*table),
                    here ? "a machine like this one"
                         : fmt::format("not of this machine, {}, {}", cpu_name(), kernels::target_name())));
  }
  const ChannelGroups& groups = run.groups();
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
