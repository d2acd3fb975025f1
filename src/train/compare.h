#pragma once

#include <filesystem>

#include "recipe/comparison.h"
#include "report/comparison.h"
#include "train/run.h"

namespace concertina::train {

/// Trains every arm with every seed, each in <folder>/<arm>/seed-<n>, and measures its sub-nets on the test
/// images. Runs that are finished are not repeated. A stage that an arm has in common with one before it is
/// copied from there, and counts for each as if it had done it. The grid of sizes, from search.end_fraction
/// of the reference arm's network to all of it, is fixed before anything is trained, and so is the budget:
/// its epochs are those of the reference arm's full network, whatever network an arm has. If an arm names a
/// latency table, whether it searches by it or not, the sub-nets' predicted milliseconds are sizes too; an
/// arm on whose network the table was not measured is an error. After each run `measured` is called with all
/// so far.
Status compare(const recipe::Comparison& plan, const std::filesystem::path& folder, const Compute& compute,
               Progress& progress, const std::function<Status(const report::MeasuredComparison&)>& measured);

}  // namespace concertina::train
