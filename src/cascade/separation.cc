#include "cascade/separation.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace concertina::cascade {

double separation(std::span<const double> confidences, std::span<const std::uint8_t> correct) {
  std::vector<std::pair<double, int>> sorted;
  for (std::size_t i = 0; i < confidences.size(); ++i) sorted.emplace_back(confidences[i], correct[i]);
  std::sort(sorted.begin(), sorted.end());
  double wrong = 0, right = 0, pairs = 0;  // pairs in order, of those with what came before
  for (std::size_t begin = 0, end = 0; begin < sorted.size(); begin = end) {
    double wrong_here = 0, right_here = 0;
    for (; end < sorted.size() && sorted[end].first == sorted[begin].first; ++end) {
      (sorted[end].second != 0 ? right_here : wrong_here) += 1;
    }
    pairs += right_here * (wrong + wrong_here / 2);
    wrong += wrong_here;
    right += right_here;
  }
  return wrong == 0 || right == 0 ? 0.5 : pairs / (wrong * right);
}

}  // namespace concertina::cascade
