#include "base/resampling.h"

#include <algorithm>
#include <cmath>

namespace concertina {

TriangleTap triangle_tap(std::int64_t from, std::int64_t to, std::int64_t out) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double support = std::max(scale, 1.0);
  const double centre = (static_cast<double>(out) + 0.5) * scale;
  const auto first = std::max<std::int64_t>(static_cast<std::int64_t>(centre - support + 0.5), 0);
  const auto last = std::min(static_cast<std::int64_t>(centre + support + 0.5), from);
  TriangleTap tap{.first = static_cast<std::size_t>(first), .weights = {}};
  for (std::int64_t i = first; i < last; ++i) {
    const double distance = std::abs((static_cast<double>(i) - centre + 0.5) * (1 / support));
    tap.weights.push_back(std::max(1 - distance, 0.0));
    tap.sum += tap.weights.back();
  }
  return tap;
}

}  // namespace concertina
