#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "graph/network.h"
#include "search/spending.h"
#include "train/distributed/processes.h"
#include "train/torch.h"

namespace concertina::train {

/// Tensors by the names that Weights uses.
using Tensors = std::map<std::string, torch::Tensor>;

/// Copies; fp32 on the given device.
Tensors to_tensors(const Weights& weights, torch::Device device);
Weights to_weights(const Tensors& tensors);

/// Fresh weights for every trainable parameter: He-normal convolutions (fan out), uniform linear layers
/// (1 / sqrt(fan in)), other scales 1 and shifts 0. A function of the seed.
Tensors initial_tensors(const Graph& graph, std::uint64_t seed);

/// The same for a sub-net that is trained by itself: fans are those of its widths. Arrays have their full
/// sizes.
Tensors initial_tensors(const Graph& graph, std::uint64_t seed, const Subnet& subnet);

/// The state of training after some steps. On disk: a LibTorch archive.
struct Checkpoint {
  std::int64_t steps = 0;                    ///< finished
  double loss_sum = 0;                       ///< of those in an epoch that is not finished
  search::Spending spent = {};               ///< by all steps
  Tensors tensors;                           ///< on the CPU
  std::vector<std::string> optimizers = {};  ///< each one's state as a LibTorch archive
};

Status write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

/// As the first of the processes sees it. Fails, naming the file, if it is missing or damaged.
Result<Checkpoint> read_checkpoint(const std::filesystem::path& path, const Processes& processes = {});

std::string save_optimizer(const torch::optim::Optimizer& optimizer);
void load_optimizer(torch::optim::Optimizer& optimizer, const std::string& state);

}  // namespace concertina::train
