#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/progress.h"
#include "train/recipe.h"
#include "train/stage.h"

namespace concertina::train {

/// One command of a user. This header is all that a program needs of train/; it does not include LibTorch.
struct RunRequest {
  Recipe recipe;
  std::filesystem::path folder;  ///< the run directory
  std::string device = "cpu";    ///< cpu, cuda or cuda:N
  int threads = 0;               ///< of the CPU; 0 = one per processor
  std::optional<Stage> stage;    ///< only this one; otherwise all
};

/// The files of a finished run.
struct RunResult {
  std::filesystem::path model;    ///< model.onnx
  std::filesystem::path results;  ///< JSON: widths, parameters, MACs and accuracies of each sub-net
};

/// Performs the stages that are not done. The result is empty until the last stage is.
Result<std::optional<RunResult>> perform(const RunRequest& request, Progress& progress);

}  // namespace concertina::train
