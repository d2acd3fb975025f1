#pragma once

#include <filesystem>
#include <string>

#include "concertina/result.h"
#include "report/comparison.h"

namespace concertina::report {

/// Everything: the grids, each run's sub-nets and costs, accuracies, gains and areas.
std::string to_json(const MeasuredComparison& comparison);

/// What such a file holds, without what follows from its runs. Fails, naming the file, if it is missing or
/// damaged.
Result<MeasuredComparison> read_comparison(const std::filesystem::path& path);

/// Tables: accuracy at equal MACs, parameters and, if known, milliseconds, gains over the reference, what
/// each arm has cost.
std::string to_markdown(const MeasuredComparison& comparison);

/// Accuracy over each kind of size at the grids' points, with the seeds' standard deviation.
std::string to_svg(const MeasuredComparison& comparison);

}  // namespace concertina::report
