#include "latency/prediction.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/statistics.h"

namespace concertina::latency {

PredictionError PredictionError::of(std::span<const double> predicted, std::span<const double> measured) {
  std::vector<double> errors;
  for (std::size_t i = 0; i < measured.size(); ++i)
    errors.push_back(std::abs(predicted[i] / measured[i] - 1));
  return {
      .median = quantile(errors, 0.5),
      .worst = *std::max_element(errors.begin(), errors.end()),
      .rank_correlation = spearman({predicted.begin(), predicted.end()}, {measured.begin(), measured.end()})};
}

}  // namespace concertina::latency
