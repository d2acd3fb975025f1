#include "report/comparison.h"

#include <algorithm>
#include <cmath>

namespace concertina::report {
namespace {

double size_of(const MeasuredSubnet& subnet, SizeAxis by) {
  switch (by) {
    case SizeAxis::macs:
      return subnet.macs;
    case SizeAxis::parameters:
      return subnet.parameters;
    case SizeAxis::milliseconds:
      return subnet.milliseconds;
  }
  return 0;
}

const MeasuredRun* find_run(const MeasuredComparison& comparison, const std::string& arm, int seed) {
  for (const MeasuredRun& run : comparison.runs) {
    if (run.arm == arm && run.seed == seed) return &run;
  }
  return nullptr;
}

std::optional<double> area_of(const MeasuredRun& run, SizeAxis by, const std::vector<double>& grid) {
  double sum = 0;
  for (std::size_t i = 0; i + 1 < grid.size(); ++i) {
    const auto left = accuracy_at(run, by, grid[i]), right = accuracy_at(run, by, grid[i + 1]);
    if (!left || !right) return {};
    sum += (*left + *right) / 2 * std::log(grid[i + 1] / grid[i]);
  }
  return sum / std::log(grid.back() / grid.front());
}

}  // namespace

std::vector<SizeAxis> sizes(const MeasuredComparison& comparison) {
  std::vector<SizeAxis> all = {SizeAxis::macs, SizeAxis::parameters};
  if (!comparison.milliseconds_grid.empty()) all.push_back(SizeAxis::milliseconds);
  return all;
}

const std::vector<double>& grid_of(const MeasuredComparison& comparison, SizeAxis by) {
  switch (by) {
    case SizeAxis::macs:
      return comparison.macs_grid;
    case SizeAxis::parameters:
      return comparison.parameter_grid;
    case SizeAxis::milliseconds:
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

std::optional<double> accuracy_at(const MeasuredRun& run, SizeAxis by, double size) {
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

Gains gains(const MeasuredComparison& comparison, const std::string& arm, const std::string& reference,
            SizeAxis by) {
  const std::vector<double>& grid = grid_of(comparison, by);
  std::vector<std::vector<std::optional<double>>> differences;  // by seed and point
  for (const MeasuredRun& run : comparison.runs) {
    const MeasuredRun* other = find_run(comparison, reference, run.seed);
    if (run.arm != arm || !other) continue;
    auto& of_seed = differences.emplace_back();
    for (const double size : grid) {
      const auto ours = accuracy_at(run, by, size), theirs = accuracy_at(*other, by, size);
      of_seed.push_back(ours && theirs ? std::optional(*ours - *theirs) : std::nullopt);
    }
  }
  Gains result;
  std::vector<std::size_t> common, interior;
  std::vector<double> means;
  for (std::size_t i = 0; i < grid.size(); ++i) {
    std::vector<double> known;
    for (const auto& of_seed : differences) {
      if (of_seed[i]) known.push_back(*of_seed[i]);
    }
    result.at.push_back(spread(known));
    if (known.empty() || known.size() < differences.size()) continue;
    common.push_back(i);
    means.push_back(result.at.back().mean);
    if (i > 0 && i + 1 < grid.size()) interior.push_back(i);
  }
  if (common.empty()) return result;
  const auto over = [&](const std::vector<std::size_t>& chosen) {
    std::vector<double> by_seed;
    for (const auto& of_seed : differences) {
      double sum = 0;
      for (const std::size_t i : chosen) sum += *of_seed[i];
      if (!chosen.empty()) by_seed.push_back(sum / static_cast<double>(chosen.size()));
    }
    return spread(by_seed);
  };
  const auto third = static_cast<std::ptrdiff_t>(std::max<std::size_t>(common.size() / 3, 1));
  result.points = static_cast<int>(common.size());
  result.mean = over(common);
  result.interior_mean = over(interior);
  result.small_mean = over({common.begin(), common.begin() + third});
  result.large_mean = over({common.end() - third, common.end()});
  result.least = *std::min_element(means.begin(), means.end());
  return result;
}

std::vector<Spread> accuracies(const MeasuredComparison& comparison, const std::string& arm, SizeAxis by) {
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

Spread area(const MeasuredComparison& comparison, const std::string& arm, SizeAxis by) {
  std::vector<double> areas;
  for (const MeasuredRun& run : comparison.runs) {
    if (run.arm != arm) continue;
    if (const auto a = area_of(run, by, grid_of(comparison, by))) areas.push_back(*a);
  }
  return spread(areas);
}

Spread validation_area(const MeasuredComparison& comparison, const std::string& arm, SizeAxis by) {
  MeasuredComparison validated = comparison;
  for (MeasuredRun& run : validated.runs) {
    for (MeasuredSubnet& subnet : run.subnets) subnet.accuracy = subnet.validation_accuracy;
  }
  return area(validated, arm, by);
}

int seeds(const MeasuredComparison& comparison, const std::string& arm) {
  return static_cast<int>(std::count_if(comparison.runs.begin(), comparison.runs.end(),
                                        [&](const MeasuredRun& run) { return run.arm == arm; }));
}

std::vector<std::string> devices(const MeasuredComparison& comparison) {
  std::vector<std::string> devices;
  for (const MeasuredRun& run : comparison.runs) {
    for (const StageCost& c : run.costs) {
      const bool known = !c.device.empty();  // runs of before it was recorded
      if (known && std::find(devices.begin(), devices.end(), c.device) == devices.end())
        devices.push_back(c.device);
    }
  }
  return devices;
}

std::vector<std::string> arms(const MeasuredComparison& comparison) {
  std::vector<std::string> names;
  for (const MeasuredRun& run : comparison.runs) {
    if (std::find(names.begin(), names.end(), run.arm) == names.end()) names.push_back(run.arm);
  }
  return names;
}

}  // namespace concertina::report
