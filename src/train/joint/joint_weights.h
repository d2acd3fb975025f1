#pragma once

#include "train/run.h"
#include "train/tensors.h"

namespace concertina::train {

/// The file in which joint training keeps a sub-net's weights: one for all of them, or, where each is trained
/// alone, one for each.
std::filesystem::path joint_checkpoint(const Run& run, std::size_t subnet);

/// The weights for a sub-net after joint training: their moving average, if there is one. Parameters of its
/// own are named as OwnParameters::all() names them.
Result<Tensors> read_joint_weights(const Run& run, std::size_t subnet);

}  // namespace concertina::train
