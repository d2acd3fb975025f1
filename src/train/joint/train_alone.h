#pragma once

#include <vector>

#include "train/run.h"
#include "train/tensors.h"

namespace concertina::train {

/// The upper reference of joint training: every sub-net with weights of its own from `start` on, on labels,
/// for joint.epochs; no budget applies -> joint/alone-<i>.pt.
Result<search::Spending> train_alone(const Run& run, const Tensors& start,
                                     const std::vector<Subnet>& subnets);

}  // namespace concertina::train
