#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace concertina {

/// Mean and sample standard deviation (0 for one value).
struct Spread {
  double mean = 0;
  double deviation = 0;
  int count = 0;
};
Spread spread(const std::vector<double>& values);

/// Half the width of the 95 % confidence interval of the mean, by Student's t. Infinite for less than two
/// values.
double half_width_95(const Spread& spread);

/// Spearman's rank correlation; ties have their mean rank. 0 if either side is all ties.
/// Precondition: as many a as b, at least one.
double spearman(const std::vector<double>& a, const std::vector<double>& b);

/// The value below which a share `q` (0 .. 1) of the values lies: the one at the index nearest to q (n - 1).
/// Precondition: not empty.
inline double quantile(std::vector<double> values, double q) {
  const auto at = static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[at];
}

}  // namespace concertina
