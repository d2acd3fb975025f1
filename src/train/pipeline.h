#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/progress.h"
#include "recipe/comparison.h"
#include "recipe/stage.h"

namespace concertina::train {

/// One command of a user. This header is all that a program needs of train/; it does not include LibTorch.
struct RunRequest {
  recipe::Recipe recipe;
  std::filesystem::path folder;        ///< the run directory
  std::string device = "cpu";          ///< cpu, cuda or cuda:N
  int threads = 0;                     ///< of the CPU; 0 = one per processor
  std::optional<recipe::Stage> stage;  ///< only this one; otherwise all
};

/// The files of a finished run.
struct RunResult {
  std::optional<std::filesystem::path> model;  ///< model.onnx, unless the sub-nets were trained alone
  std::filesystem::path results;  ///< JSON: widths, parameters, MACs and accuracies of each sub-net
};

/// Judges every ranker on the run's pretrained network and writes <folder>/rankers/quality.json, which is the
/// result.
Result<std::string> judge_rankers(const RunRequest& request, Progress& progress);

/// The comparison of a plan's arms.
struct CompareRequest {
  recipe::Comparison plan;
  std::filesystem::path
      folder;  ///< of comparison.json, comparison.md, comparison.svg, and a folder for each arm
  std::string device = "cpu";
  int threads = 0;
};

/// Trains what is not trained and writes the three files, after each run with all that is known. The result
/// is what comparison.json holds.
Result<std::string> compare(const CompareRequest& request, Progress& progress);

/// Performs the stages that are not done. The result is empty until the last stage is.
Result<std::optional<RunResult>> perform(const RunRequest& request, Progress& progress);

}  // namespace concertina::train
