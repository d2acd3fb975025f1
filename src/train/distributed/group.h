#pragma once

#include "train/distributed/dist_compat.h"
#include "train/distributed/processes.h"

namespace concertina::train {

struct Processes::Group {
  compat::Group group;
  torch::Device device = torch::kCPU;          ///< whose tensors it sends
  std::shared_ptr<SharedSum> shared_sum = {};  ///< of all; or null
};

}  // namespace concertina::train
