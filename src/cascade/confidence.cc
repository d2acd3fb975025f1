#include "cascade/confidence.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace concertina::cascade {

void to_scores(std::span<float> probabilities) {
  for (float& value : probabilities) value = std::log(std::max(value, std::numeric_limits<float>::min()));
}

Judgement judge(std::span<const float> scores, ConfidenceMeasure measure) {
  const auto best = std::max_element(scores.begin(), scores.end());
  float second = -std::numeric_limits<float>::infinity();
  double sum = 0, weighted = 0;  // of exp(x) and of x exp(x), x = score - best
  for (auto it = scores.begin(); it != scores.end(); ++it) {
    if (it != best) second = std::max(second, *it);
    const double x = double{*it} - *best, e = std::exp(x);
    sum += e;
    weighted += x * e;
  }
  Judgement verdict{.label = static_cast<int>(best - scores.begin())};
  switch (measure) {
    case ConfidenceMeasure::probability:
      verdict.confidence = 1 / sum;
      break;
    case ConfidenceMeasure::margin:
      verdict.confidence = (1 - std::exp(double{second} - *best)) / sum;
      break;
    case ConfidenceMeasure::entropy:
      verdict.confidence =
          std::max(0.0, 1 + (weighted / sum - std::log(sum)) / std::log(static_cast<double>(scores.size())));
      break;
  }
  return verdict;
}

}  // namespace concertina::cascade
