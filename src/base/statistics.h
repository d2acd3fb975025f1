#pragma once

#include <vector>

namespace concertina {

/// Mean and sample standard deviation (0 for one value).
struct Spread {
  double mean = 0;
  double deviation = 0;
  int count = 0;
};
Spread spread(const std::vector<double>& values);

/// Spearman's rank correlation; ties have their mean rank. 0 if either side is all ties.
/// Precondition: as many a as b, at least one.
double spearman(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace concertina
