#include "report/comparison.h"

#include <algorithm>
#include <cmath>

namespace concertina {
namespace {

double size_of(const MeasuredSubnet& subnet, Size by) {
  switch (by) {
    case Size::macs:
      return subnet.macs;
    case Size::parameters:
      return subnet.parameters;
    case Size::milliseconds:
      return subnet.milliseconds;
  }
  return 0;
}

const MeasuredRun* find_run(const Comparison& comparison, const std::string& arm, int seed) {
  for (const MeasuredRun& run : comparison.runs) {
    if (run.arm == arm && run.seed == seed) return &run;
  }
  return nullptr;
}

std::optional<double> area_of(const MeasuredRun& run, Size by, const std::vector<double>& grid) {
  double sum = 0;
  for (std::size_t i = 0; i + 1 < grid.size(); ++i) {
    const auto left = accuracy_at(run, by, grid[i]), right = accuracy_at(run, by, grid[i + 1]);
    if (!left || !right) return {};
    sum += (*left + *right) / 2 * std::log(grid[i + 1] / grid[i]);
  }
  return sum / std::log(grid.back() / grid.front());
}

}  // namespace

std::vector<Size> sizes(const Comparison& comparison) {
  std::vector<Size> all = {Size::macs, Size::parameters};
  if (!comparison.milliseconds_grid.empty()) all.push_back(Size::milliseconds);
  return all;
}

const std::vector<double>& grid_of(const Comparison& comparison, Size by) {
  switch (by) {
    case Size::macs:
      return comparison.macs_grid;
    case Size::parameters:
      return comparison.parameter_grid;
    case Size::milliseconds:
      return comparison.milliseconds_grid;
  }
  return comparison.macs_grid;
}

std::vector<double> log_grid(double smallest, double largest, int points) {
  std::vector<double> grid;
  for (int i = 0; i < points; ++i)
    grid.push_back(smallest * std::pow(largest / smallest, i / (points - 1.0)));
  grid.back() = largest;  // exactly, so that the largest sub-net is on it
  return grid;
}

std::optional<double> accuracy_at(const MeasuredRun& run, Size by, double size) {
  const MeasuredSubnet* above = nullptr;  // the smallest that is not smaller
  const MeasuredSubnet* below = nullptr;  // the largest that is not larger
  for (const MeasuredSubnet& subnet : run.subnets) {
    const double s = size_of(subnet, by);
    if (s >= size && (!above || s < size_of(*above, by))) above = &subnet;
    if (s <= size && (!below || s > size_of(*below, by))) below = &subnet;
  }
  if (!above || !below) return {};
  const double low = size_of(*below, by), high = size_of(*above, by);
  if (low == high) return below->accuracy;
  const double share = std::log(size / low) / std::log(high / low);
  return below->accuracy + share * (above->accuracy - below->accuracy);
}

Gains gains(const Comparison& comparison, const std::string& arm, Size by) {
  const std::vector<double>& grid = grid_of(comparison, by);
  Gains result;
  std::vector<double> means, interior;
  for (std::size_t i = 0; i < grid.size(); ++i) {
    std::vector<double> differences;
    for (const MeasuredRun& run : comparison.runs) {
      if (run.arm != arm) continue;
      const MeasuredRun* reference = find_run(comparison, comparison.reference, run.seed);
      if (!reference) continue;
      const auto ours = accuracy_at(run, by, grid[i]), theirs = accuracy_at(*reference, by, grid[i]);
      if (ours && theirs) differences.push_back(*ours - *theirs);
    }
    result.at.push_back(spread(differences));
    if (differences.empty()) continue;
    means.push_back(result.at.back().mean);
    if (i > 0 && i + 1 < grid.size()) interior.push_back(means.back());
  }
  if (means.empty()) return result;
  result.mean = spread(means).mean;
  result.interior_mean = spread(interior).mean;
  result.largest = *std::max_element(means.begin(), means.end());
  result.smallest = *std::min_element(means.begin(), means.end());
  return result;
}

std::vector<Spread> accuracies(const Comparison& comparison, const std::string& arm, Size by) {
  std::vector<Spread> result;
  for (const double size : grid_of(comparison, by)) {
    std::vector<double> values;
    for (const MeasuredRun& run : comparison.runs) {
      if (run.arm != arm) continue;
      if (const auto accuracy = accuracy_at(run, by, size)) values.push_back(*accuracy);
    }
    result.push_back(spread(values));
  }
  return result;
}

Spread area(const Comparison& comparison, const std::string& arm, Size by) {
  std::vector<double> areas;
  for (const MeasuredRun& run : comparison.runs) {
    if (run.arm != arm) continue;
    if (const auto a = area_of(run, by, grid_of(comparison, by))) areas.push_back(*a);
  }
  return spread(areas);
}

std::vector<std::string> arms(const Comparison& comparison) {
  std::vector<std::string> names;
  for (const MeasuredRun& run : comparison.runs) {
    if (std::find(names.begin(), names.end(), run.arm) == names.end()) names.push_back(run.arm);
  }
  return names;
}

}  // namespace concertina
