#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "recipe/recipe.h"
#include "report/run_results.h"

/// What a program asks of a run. This header and compare.h are all that it needs of train/; they do not
/// include LibTorch.
namespace concertina::train {

struct RunRequest {
  recipe::Recipe recipe;
  std::filesystem::path folder;        ///< the run directory
  std::string device = "cpu";          ///< cpu, cuda or cuda:N
  int threads = 0;                     ///< of the CPU; 0 = one per processor
  std::optional<recipe::Stage> stage;  ///< only this one; otherwise all
};

/// Performs the stages that are not done.
Result<report::RunResult> run_pipeline(const RunRequest& request, Progress& progress);

/// Judges every ranker on the run's pretrained network, which is trained if need be; also writes
/// <folder>/rankers/quality.json.
Result<std::vector<report::RankerQuality>> judge_rankers(const RunRequest& request, Progress& progress);

}  // namespace concertina::train
