#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "search/spending.h"
#include "train/tensors.h"

namespace concertina::train {

/// The state of training after some epochs. On disk: a LibTorch archive.
struct Checkpoint {
  int epochs = 0;                       ///< finished
  search::Spending spent = {};          ///< by them
  Tensors tensors;                      ///< on the CPU
  std::vector<std::string> optimizers;  ///< each one's state as a LibTorch archive
};

Status write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

/// Fails, naming the file, if it is missing or damaged.
Result<Checkpoint> read_checkpoint(const std::filesystem::path& path);

std::string save_optimizer(const torch::optim::Optimizer& optimizer);
void load_optimizer(torch::optim::Optimizer& optimizer, const std::string& state);

}  // namespace concertina::train
