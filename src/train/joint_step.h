#pragma once

#include <vector>

#include "train/recipe.h"
#include "train/supernet.h"
#include "train/training_loop.h"

namespace concertina::train {

/// Forward and backward of one batch through several sub-nets of the shared weights; gradients add up. The
/// first one is the largest and learns from the labels, the others as `distillation` says:
///   in_place  from the largest's output (Yu and Huang 2019)
///   mutual    half from the labels, half from the mean output of all others (Zhang 2018)
///   none      from the labels
TrainingLoop::StepResult train_together(const Supernet& net, const std::vector<Subnet>& subnets,
                                        const Batch& batch, Distillation distillation,
                                        double label_smoothing);

}  // namespace concertina::train
