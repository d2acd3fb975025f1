#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "train/run.h"

namespace concertina::train {

/// How well a ranker foretells what the removal of channels costs: Spearman's correlation of its scores with
/// the true increase of the validation loss, mean over dimensions.
struct RankerQuality {
  std::string ranker;
  double channels = 0;  ///< one channel removed
  double groups = 0;    ///< one group of the ranker's own order removed, scored by its channels' sum
  std::vector<double> by_dimension;  ///< `channels` of each
  double macs = 0;                   ///< that the ranking has cost
};

/// Judges every ranker on the pretrained network of the run, on 1000 validation images with batch-norm
/// statistics estimated anew for each removal. Removals that were measured before are read from
/// <run>/rankers/removals.jsonl.
Result<std::vector<RankerQuality>> measure_rankers(const Run& run);

}  // namespace concertina::train
