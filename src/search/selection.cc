#include "search/selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <tuple>

#include "base/try.h"

namespace concertina::search {
namespace {

/// The best way to have chosen a number of points, the last of them being this one.
struct Choice {
  double penalty = std::numeric_limits<double>::infinity();
  int previous = -1;
};

}  // namespace

std::vector<int> pareto_front(std::span<const SelectionPoint> points) {
  std::vector<int> order(points.size());
  std::iota(order.begin(), order.end(), 0);
  // Cheapest first, of equally cheap ones the most accurate, of equal ones the last.
  std::sort(order.begin(), order.end(), [&](int i, int j) {
    const SelectionPoint& a = points[i];
    const SelectionPoint& b = points[j];
    return std::tuple(a.cost, -a.accuracy, -i) < std::tuple(b.cost, -b.accuracy, -j);
  });
  std::vector<int> front;
  double highest = -std::numeric_limits<double>::infinity();
  for (const int i : order) {
    const double accuracy = points[i].accuracy;
    if (accuracy <= highest) continue;
    highest = accuracy;
    front.push_back(i);
  }
  std::sort(front.begin(), front.end());
  return front;
}

std::vector<int> thin(std::span<const SelectionPoint> chain, int count) {
  const auto size = static_cast<int>(chain.size());
  std::vector<int> chosen(static_cast<std::size_t>(std::min(count, size)));
  std::iota(chosen.begin(), chosen.end(), 0);
  if (size <= count) return chosen;

  const std::vector<int> front = pareto_front(chain);
  const double largest = std::log(chain.front().cost);
  const double spacing = (std::log(chain.back().cost) - largest) / (count - 1);
  // choices[j][i]: the best j + 1 points of which i is the last.
  std::vector<std::vector<Choice>> choices(chosen.size(), std::vector<Choice>(chain.size()));
  choices[0][0] = {0, -1};
  for (int j = 1; j < count; ++j) {
    const auto row = static_cast<std::size_t>(j);
    int best = j - 1;  // of the row above, left of i
    for (int i = j; i < size; ++i) {
      const auto at = static_cast<std::size_t>(i);
      if (choices[row - 1][at - 1].penalty < choices[row - 1][best].penalty) best = i - 1;
      const double before = choices[row - 1][best].penalty;
      double distance = std::abs(std::log(chain[at].cost) - (largest + j * spacing));
      if (!std::binary_search(front.begin(), front.end(), i)) distance += std::abs(spacing) / 2;
      choices[row][at] = {before + distance * distance, best};
    }
  }
  int at = size - 1;
  for (std::size_t j = chosen.size(); j-- > 0; at = choices[j][at].previous) chosen[j] = at;
  return chosen;
}

std::vector<int> drop_dominated(std::span<const TrajectoryStep> trajectory) {
  constexpr double kMargin = 0.10;
  std::vector<int> kept;
  for (std::size_t i = 0; i < trajectory.size(); ++i) {
    if (i > 0 && i + 1 < trajectory.size() && !trajectory[i + 1].fine_tuned()) {
      const double gain = trajectory[i + 1].evaluation.accuracy - trajectory[i].evaluation.accuracy;
      if (gain > 0 && gain < kMargin) continue;
    }
    kept.push_back(static_cast<int>(i));
  }
  return kept;
}

Result<std::vector<SelectedSubnet>> reselect(std::span<const TrajectoryStep> trajectory, Evaluator& evaluator,
                                             int count, Progress& progress) {
  if (count < 2) {
    return Error{fmt::format("{} sub-nets are asked for; a dynamic network has at least 2", count)};
  }
  progress.start("re-select", static_cast<std::int64_t>(trajectory.size()));
  std::vector<SelectedSubnet> all;
  std::vector<SelectionPoint> points;
  std::vector<Subnet> subnets;
  for (const TrajectoryStep& step : trajectory) subnets.push_back(step.subnet);
  evaluator.expect(subnets);
  for (const TrajectoryStep& step : trajectory) {
    ASSIGN_OR_RETURN(const Evaluation evaluation, checked(evaluator.evaluate(step.subnet), step.subnet));
    all.push_back({step.step, step.subnet, evaluation, step.cost});
    points.push_back({step.cost, evaluation.accuracy});
    progress.update(
        static_cast<std::int64_t>(all.size()),
        fmt::format("sub-net {}: accuracy {:.1f} %", to_string(step.subnet), 100 * evaluation.accuracy));
  }
  std::vector<SelectedSubnet> selected;
  for (const int i : thin(points, count)) selected.push_back(std::move(all[i]));
  return selected;
}

}  // namespace concertina::search
