#pragma once

#include <memory>

#include "kernels/training/workspace.h"
#include "train/torch.h"

namespace concertina::train {

/// Memory that comes back when the last tensor lets go of it.
using MapMemory = std::shared_ptr<kernels::Workspace>;

/// [n][channels][h][w], channels last, with whatever was there.
torch::Tensor empty_map(const MapMemory& memory, at::IntArrayRef sizes, torch::Dtype dtype);

}  // namespace concertina::train
