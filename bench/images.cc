#include "images.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "base/random.h"

namespace concertina::bench {

void fill(std::span<float> images, std::uint64_t first) {
  const CounterRandom random(5);
  for (std::size_t i = 0; i < images.size(); ++i)
    images[i] = static_cast<float>(4 * random.uniform(first + i) - 2);
}

double largest_difference(std::span<const float> got, std::span<const float> wanted) {
  double difference = 0, largest = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double one = std::abs(static_cast<double>(got[i]) - wanted[i]);
    if (std::isnan(one)) return one;
    difference = std::max(difference, one);
    largest = std::max(largest, std::abs(static_cast<double>(wanted[i])));
  }
  return difference / largest;
}

}  // namespace concertina::bench
