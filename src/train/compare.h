#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/progress.h"
#include "graph/graph.h"
#include "recipe/comparison.h"
#include "report/comparison.h"

namespace concertina::train {

/// A network, and sub-nets of it.
struct NetworkToTime {
  Graph graph;
  std::vector<Subnet> subnets;
};

/// How long sub-nets take. A program passes it in, because the trainer does not know the runtime.
struct Stopwatch {
  std::string machine;  ///< and conditions, for people
  /// Milliseconds of one image through each sub-net of each network, all timed in one sitting.
  std::function<Result<std::vector<std::vector<double>>>(std::span<const NetworkToTime>)> time = {};
};

struct CompareRequest {
  recipe::Comparison comparison;
  std::filesystem::path folder;  ///< of comparison.json, comparison.md, comparison.svg, and one for each arm
  std::string device = "cpu";    ///< cpu, cuda or cuda:N
  int threads = 0;               ///< of the CPU; 0 = one per processor
  std::filesystem::path cache = {};              ///< as of RunRequest
  std::vector<std::filesystem::path> with = {};  ///< comparison.json files whose runs are taken as done
  Stopwatch stopwatch = {};                      ///< without one, milliseconds are those of a latency table
};

/// Trains every arm with every seed, each in <folder>/<arm>/seed-<n>, and measures its sub-nets on the test
/// images. Runs that are finished are not repeated. A stage that an arm has in common with one before it is
/// copied from there, and counts for each as if it had done it. The grid of sizes, from search.end_fraction
/// of the reference arm's network to all of it, is fixed before anything is trained, and so is the budget:
/// its epochs are those of the reference arm's full network, whatever network an arm has. If an arm names a
/// latency table, whether it searches by it or not, the sub-nets' predicted milliseconds are sizes too; an
/// arm on whose network the table was not measured is an error. With a stopwatch, the sub-nets of all runs
/// are timed at the end instead. After each run the three files are written with all that is known.
///
/// Runs of this comparison that were done elsewhere are taken from there: those of the same arm and seed.
/// Their recipes are not known, so that they are the same is the caller's to know; other sizes or another
/// network are an error.
Result<report::MeasuredComparison> compare(const CompareRequest& request, Progress& progress);

}  // namespace concertina::train
