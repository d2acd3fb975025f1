#include "base/try.h"
#include "train/joint/train_subnets.h"
#include "train/stages/stages.h"

namespace concertina::train {

Result<search::Spending> fine_tune(const Run& run) {
  const recipe::Recipe& recipe = run.recipe();
  ASSIGN_OR_RETURN(auto subnets, run.selected());
  ASSIGN_OR_RETURN(const Checkpoint joint, read_checkpoint(joint_checkpoint(run, 0), run.processes()));
  Compute compute = run.compute().with(recipe.training.precision);
  compute.fake_int8 = true;
  ASSIGN_OR_RETURN(const Supernet net, Supernet::make(run.graph(), joint.tensors, compute));
  JointState state(net, std::move(subnets), recipe.joint);
  state.assign(joint.tensors);
  std::vector<ScheduledOptimizer> optimizers;
  optimizers.push_back(
      make_sgd(run.graph(), state.trained(), recipe.training, recipe.quantize.learning_rate));
  ASSIGN_OR_RETURN(TrainingLoop loop, training_loop(run, recipe::Stage::fine_tune));
  loop.rate_key = "quantize.learning_rate";
  loop.steps = steps_of_epochs(run, recipe.quantize.epochs);
  return train_subnets(run, recipe::Stage::fine_tune, net, state, loop, optimizers);
}

}  // namespace concertina::train
