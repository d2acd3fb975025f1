#pragma once

#include <span>
#include <vector>

#include "recipe/recipe.h"
#include "search/spending.h"
#include "train/distributed/shared_gradients.h"
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
  std::vector<double> losses;  ///< of each member on the targets, whatever it learns from
  search::Spending spent;
};

/// What the members of a step learn from. The largest learns from the labels, the others as `distillation`
/// says:
///   growing   from the labels at first, and increasingly from the largest's output as `progress` grows
///   in_place  from the largest's output (Yu and Huang 2019)
///   mutual    half from the labels, half from the mean output of all others (Zhang 2018)
///   none      from the labels
struct Teaching {
  recipe::Distillation distillation = recipe::Distillation::in_place;
  double progress = 1;         ///< of the run's schedule, 0 .. 1
  double label_smoothing = 0;  ///< for the largest only
};

/// The weight of the largest's output in what the others learn from; the rest is the labels'. An output that
/// knows nothing yet would hold back the weights that all share. Not for `mutual`.
double teacher_share(const Teaching& teaching);

/// Forward and backward of one batch through several sub-nets of the shared weights, the largest first;
/// gradients add up. Of a shared batch the last pass makes them those of all processes, and the losses are of
/// all, too. `gradients`: of what is trained.
JointStepResult train_together(const Supernet& net, std::span<const JointMember> members, const Batch& batch,
                               const Teaching& teaching, const SharedGradients& gradients = {});

}  // namespace concertina::train
