#pragma once

#include <span>
#include <vector>

#include "recipe/recipe.h"
#include "search/spending.h"
#include "train/images/image_batches.h"
#include "train/supernet/supernet.h"

namespace concertina::train {

/// A sub-net in a step of joint training.
struct JointMember {
  Subnet subnet;
  const Tensors* own = nullptr;  ///< arrays of its own, if any
  double weight = 1;             ///< of its loss
};

struct JointStepResult {
  std::vector<double> losses;  ///< of each member, unweighted
  search::Spending spent;
};

/// Forward and backward of one batch through several sub-nets of the shared weights; gradients add up. The
/// first one is the largest and learns from the labels, the others as `distillation` says:
///   in_place  from the largest's output (Yu and Huang 2019)
///   mutual    half from the labels, half from the mean output of all others (Zhang 2018)
///   none      from the labels
/// `label_smoothing` is for the largest only.
JointStepResult train_together(const Supernet& net, std::span<const JointMember> members, const Batch& batch,
                               recipe::Distillation distillation, double label_smoothing);

}  // namespace concertina::train
