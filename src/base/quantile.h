#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace concertina {

/// The value below which a share `q` (0 .. 1) of the values lies: the one at the index nearest to q (n - 1).
/// Precondition: not empty.
inline double quantile(std::vector<double> values, double q) {
  const auto at = static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[at];
}

}  // namespace concertina
