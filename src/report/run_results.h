#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "concertina/result.h"
#include "report/comparison.h"

/// What a run has come to, as its files keep it and programs print it.
namespace concertina::report {

struct RunResult {
  std::vector<StageCost> costs;                ///< of the stages that are done, in order
  std::vector<MeasuredSubnet> subnets;         ///< largest first; none until the last stage is done
  std::optional<std::filesystem::path> model;  ///< of them all; none until then or if each was trained alone
};

/// package/results.json: each sub-net's widths, parameters, MACs and accuracies.
std::string to_json(const std::vector<MeasuredSubnet>& subnets);

/// Reads a file that holds such text. Fails, naming the file, if it is missing or damaged.
Result<std::vector<MeasuredSubnet>> read_results(const std::filesystem::path& path);

/// How well a ranker foretells what the removal of channels costs: Spearman's correlation of its scores with
/// the true increase of the validation loss, mean over dimensions.
struct RankerQuality {
  std::string ranker;
  double channels = 0;  ///< one channel removed
  double groups = 0;    ///< one group of the ranker's own order removed, scored by its channels' sum
  std::vector<double> by_dimension;  ///< `channels` of each
  double macs = 0;                   ///< that the ranking has cost
};

/// rankers/quality.json
std::string to_json(const std::vector<RankerQuality>& qualities);

}  // namespace concertina::report
