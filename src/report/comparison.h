#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/statistics.h"
#include "concertina/subnet.h"

namespace concertina::report {

/// One sub-net of a trained dynamic network.
struct MeasuredSubnet {
  Subnet subnet;
  double macs = 0;
  double parameters = 0;
  double accuracy = 0;             ///< by the comparison's measure on the test images, in 0 .. 1
  double milliseconds = 0;         ///< of a run, predicted or measured; 0 if not known
  double validation_accuracy = 0;  ///< on the validation images; arms may be chosen by it
};

/// What a stage of a run has cost.
struct StageCost {
  std::string stage;
  std::int64_t images = 0;    ///< times an image went through a sub-net
  double macs = 0;            ///< backward passes count double
  double seconds = 0;         ///< of all processes that worked on it, killed ones too
  std::string device = {};    ///< on which they ran
  double waited_seconds = 0;  ///< for images, by the process that finished it
};

/// One way of training, with one seed.
struct MeasuredRun {
  std::string arm;
  int seed = 0;
  std::vector<MeasuredSubnet> subnets;  ///< largest first
  std::vector<StageCost> costs;
};

/// A run that is not done yet.
struct MissingRun {
  std::string arm;
  int seed = 0;
};

/// A set of runs that are to be compared, and the sizes at which they are.
struct MeasuredComparison {
  std::vector<MeasuredRun> runs;
  std::vector<std::string> references;         ///< the arms over which gains are counted
  std::vector<double> macs_grid;               ///< ascending; fixed before anything was trained
  std::vector<double> parameter_grid;          ///< the same for parameters
  std::string measure = "top-1";               ///< what accuracies are, for people
  double epoch_macs = 0;                       ///< of one epoch of the full network, forward and backward
  std::vector<double> milliseconds_grid = {};  ///< the same for milliseconds; empty if none are known
  std::string milliseconds_of = {};            ///< how and for which machine they are known, for people
  std::vector<MissingRun> missing = {};        ///< in the order in which they will be done
};

enum class SizeAxis { macs, parameters, milliseconds };

/// By which the runs can be compared: all, but for milliseconds where there are none.
std::vector<SizeAxis> sizes(const MeasuredComparison& comparison);

/// The sizes at which they are.
const std::vector<double>& grid_of(const MeasuredComparison& comparison, SizeAxis by);

/// `points` sizes from `smallest` to `largest`, both included, evenly spaced in log. Precondition: points
/// >= 2.
std::vector<double> log_grid(double smallest, double largest, int points);

/// The run's accuracy at a size, linear in log size between the two nearest sub-nets; nothing outside their
/// range.
std::optional<double> accuracy_at(const MeasuredRun& run, SizeAxis by, double size);

/// An arm against another, seed by seed, at the grid's points that both reach.
struct Gains {
  std::vector<Spread> at;  ///< by grid point; count 0 where it cannot be told
  int points = 0;          ///< of the grid that all seeds of both reach; all below are over them
  Spread mean;             ///< over the points
  Spread interior_mean;    ///< without the grid's two ends
  Spread small_mean;       ///< over the smallest third of the points, at least one
  Spread large_mean;       ///< over the largest third
  double least = 0;        ///< of the points' means
};
Gains gains(const MeasuredComparison& comparison, const std::string& arm, const std::string& reference,
            SizeAxis by);

/// The arm's accuracy at each grid point over its seeds; count 0 where no seed reaches it.
std::vector<Spread> accuracies(const MeasuredComparison& comparison, const std::string& arm, SizeAxis by);

/// Mean accuracy over the grid's range of log size: the area under the curve, as a fraction of the whole.
/// Seeds that do not cover the grid do not count.
Spread area(const MeasuredComparison& comparison, const std::string& arm, SizeAxis by);

/// The same of the validation images.
Spread validation_area(const MeasuredComparison& comparison, const std::string& arm, SizeAxis by);

/// Seeds of an arm.
int seeds(const MeasuredComparison& comparison, const std::string& arm);

/// What the runs were made on, each once.
std::vector<std::string> devices(const MeasuredComparison& comparison);

/// Names of the arms in the order of the runs.
std::vector<std::string> arms(const MeasuredComparison& comparison);

}  // namespace concertina::report
