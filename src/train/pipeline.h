#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "recipe/recipe.h"
#include "report/run_results.h"
#include "train/distributed/place.h"

/// What a program asks of a run. This header, with distributed/place.h, and compare.h are all that it needs
/// of train/; they do not include LibTorch.
namespace concertina::train {

struct RunRequest {
  recipe::Recipe recipe;
  std::filesystem::path folder;        ///< the run directory
  std::filesystem::path cache = {};    ///< folder of what runs on this machine have measured; empty: none
  std::string device = "cpu";          ///< cpu, cuda or cuda:N
  int threads = 0;                     ///< of the CPU; 0 = one per processor, shared by local processes
  std::optional<recipe::Stage> stage;  ///< only this one; otherwise all
  Place place = {};                    ///< of this process among those that do the same request
};

/// The error where another process of the run has ended; what is wrong, that one says.
inline constexpr std::string_view kLostProcess =
    "another process of this run has ended; start all of them again, and the run goes on from its checkpoint";

/// Performs the stages that are not done. Of several processes the first one tells of progress, writes the
/// run directory and returns the result.
Result<report::RunResult> run_pipeline(const RunRequest& request, Progress& progress);

/// Judges every ranker on the run's pretrained network, which is trained if need be; also writes
/// <folder>/rankers/quality.json. For one process.
Result<std::vector<report::RankerQuality>> judge_rankers(const RunRequest& request, Progress& progress);

}  // namespace concertina::train
