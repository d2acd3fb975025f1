#include "base/statistics.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>

namespace concertina {
namespace {

std::vector<double> ranks(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return values[i] < values[j]; });
  std::vector<double> result(values.size());
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const double mean = (static_cast<double>(begin) + static_cast<double>(end) + 1) / 2;
    for (std::size_t i = begin; i < end; ++i) result[order[i]] = mean;
  }
  return result;
}

}  // namespace

Spread spread(const std::vector<double>& values) {
  Spread result{.mean = 0, .deviation = 0, .count = static_cast<int>(values.size())};
  if (values.empty()) return result;
  for (const double v : values) result.mean += v / static_cast<double>(values.size());
  double squares = 0;
  for (const double v : values) squares += (v - result.mean) * (v - result.mean);
  if (values.size() > 1) result.deviation = std::sqrt(squares / static_cast<double>(values.size() - 1));
  return result;
}

double half_width_95(const Spread& spread) {
  if (spread.count < 2) return std::numeric_limits<double>::infinity();
  constexpr double kQuantiles[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228};
  const int freedom = spread.count - 1;
  // Further on by its expansion around the normal distribution's quantile (Abramowitz and Stegun, 26.7.5).
  constexpr double kZ = 1.959964;
  const double t =
      freedom <= static_cast<int>(std::size(kQuantiles))
          ? kQuantiles[freedom - 1]
          : kZ + (kZ * kZ * kZ + kZ) / (4.0 * freedom) +
                (5 * std::pow(kZ, 5) + 16 * std::pow(kZ, 3) + 3 * kZ) / (96.0 * freedom * freedom);
  return t * spread.deviation / std::sqrt(spread.count);
}

double spearman(const std::vector<double>& a, const std::vector<double>& b) {
  const std::vector<double> x = ranks(a), y = ranks(b);
  const double middle = (static_cast<double>(a.size()) + 1) / 2;
  double xy = 0, xx = 0, yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - middle) * (y[i] - middle);
    xx += (x[i] - middle) * (x[i] - middle);
    yy += (y[i] - middle) * (y[i] - middle);
  }
  return xx == 0 || yy == 0 ? 0 : xy / std::sqrt(xx * yy);
}

}  // namespace concertina
