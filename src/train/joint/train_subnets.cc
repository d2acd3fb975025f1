#include "train/joint/train_subnets.h"

#include <algorithm>
#include <cmath>

#include "recipe/sandwich.h"
#include "train/joint/joint_step.h"

namespace concertina::train {
namespace {

/// The largest sub-net's loss, or the first that is no number.
double shown_loss(std::span<const double> losses) {
  const auto bad =
      std::find_if(losses.begin(), losses.end(), [](double loss) { return !std::isfinite(loss); });
  return bad == losses.end() ? losses.front() : *bad;
}

}  // namespace

Result<search::Spending> train_subnets(const Run& run, recipe::Stage stage, const Supernet& net,
                                       JointState& state, const TrainingLoop& loop,
                                       std::span<ScheduledOptimizer> optimizers) {
  const recipe::Recipe::Joint& recipe = run.recipe().joint;
  const recipe::Sandwich sandwich(state.losses().size(), recipe.sampling, run.seed(stage));
  const auto step = [&](const Batch& batch, const TrainingLoop::Moment& moment) -> TrainingLoop::StepResult {
    const auto drawn = sandwich.draw(moment.step);
    const double progress = stage == recipe::Stage::joint ? moment.progress : 1;
    const auto [losses, spent] = train_together(
        net, state.members(drawn, recipe.focus), batch,
        {recipe.distillation, progress, run.recipe().training.label_smoothing}, moment.gradients);
    state.remember(drawn, losses);
    return {shown_loss(losses), spent};
  };
  return loop.run(run.shared_images(), run.data().training, state.kept(), optimizers, step, run.progress());
}

}  // namespace concertina::train
