#include "quantization/points.h"

#include <algorithm>
#include <cmath>

namespace concertina::quantization {

std::vector<bool> on_front(std::span<const Point> points) {
  std::vector<bool> best;
  for (const Point& point : points) {
    best.push_back(std::none_of(points.begin(), points.end(), [&](const Point& other) {
      return (other.cost < point.cost && other.accuracy >= point.accuracy) ||
             (other.cost == point.cost && other.accuracy > point.accuracy);
    }));
  }
  return best;
}

std::optional<double> most_accurate(std::span<const Point> points, double cost) {
  std::optional<double> most;
  for (const Point& point : points) {
    if (point.cost <= cost && point.accuracy >= most.value_or(point.accuracy)) most = point.accuracy;
  }
  return most;
}

std::optional<double> cheapest(std::span<const Point> points, double accuracy) {
  std::optional<double> least;
  for (const Point& point : points) {
    if (point.accuracy >= accuracy && point.cost <= least.value_or(point.cost)) least = point.cost;
  }
  return least;
}

std::vector<double> costs_between(std::span<const Point> points, int count) {
  const auto [low, high] = std::minmax_element(
      points.begin(), points.end(), [](const Point& a, const Point& b) { return a.cost < b.cost; });
  std::vector<double> costs = {low->cost};
  for (int i = 1; i + 1 < count; ++i)
    costs.push_back(low->cost * std::pow(high->cost / low->cost, static_cast<double>(i) / (count - 1)));
  costs.push_back(high->cost);
  return costs;
}

}  // namespace concertina::quantization
