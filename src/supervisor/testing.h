#pragma once

#include <vector>

namespace concertina::testing {

/// Costs of sub-nets: n, n - 1, ... 1.
inline std::vector<double> even_costs(int subnets) {
  std::vector<double> costs;
  for (int n = subnets; n > 0; --n) costs.push_back(n);
  return costs;
}

}  // namespace concertina::testing
