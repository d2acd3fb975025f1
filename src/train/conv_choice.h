#pragma once

#include <filesystem>
#include <functional>

#include "base/progress.h"
#include "graph/graph.h"
#include "recipe/recipe.h"
#include "train/compute.h"
#include "train/conv_record.h"

namespace concertina::train {

/// measure_kind(), by the machine's clock or a test's.
using MeasureKind = std::function<KindTimes(const ConvKind& kind, const ConvPace& pace)>;

/// Whose the convolutions of a graph are.
struct ConvRequest {
  const Graph& graph;
  const recipe::Recipe::Training& training;
  const Compute& compute;
  std::filesystem::path record;  ///< convolutions.json of the run; need not exist
  std::filesystem::path cache;   ///< folder of what other runs on this machine have measured; empty: none
  MeasureKind measure;
};

/// What the recipe says or, if that is "measured": what the run's record says, if it is of this network; on a
/// GPU, where there is nothing to choose, our kernels; otherwise what was measured in another run or is
/// measured now, in seconds. Writes the cache, but not the record. A cache that cannot be read or written is
/// told of and does no harm. Of several processes the first one decides.
Result<ConvRecord> choose_convolutions(const ConvRequest& request, Progress& progress);

/// What is measured now.
ConvVerdicts measure_kinds(const std::vector<ConvKind>& kinds, torch::Dtype dtype, int images,
                           const MeasureKind& measure, Progress& progress);

}  // namespace concertina::train
