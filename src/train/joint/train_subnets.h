#pragma once

#include <span>

#include "train/joint/joint_state.h"
#include "train/training_loop.h"

namespace concertina::train {

/// Trains the sub-nets of `state` together, as the recipe's [joint] says, until the loop ends. `net` is what
/// `state` was made of. After the stage `joint` its schedule is over: sub-nets learn as at its end.
Result<search::Spending> train_subnets(const Run& run, recipe::Stage stage, const Supernet& net,
                                       JointState& state, const TrainingLoop& loop,
                                       std::span<ScheduledOptimizer> optimizers);

}  // namespace concertina::train
