#include "recipe/sandwich.h"

namespace concertina::recipe {

std::vector<std::size_t> Sandwich::draw(std::int64_t step) const {
  std::vector<std::size_t> drawn = {0};
  if (sampling_ == JointSampling::every) {
    for (std::size_t i = 1; i < count_; ++i) drawn.push_back(i);
    return drawn;
  }
  const auto counter = static_cast<std::uint64_t>(step) * 2;
  const std::size_t between = count_ > 2 ? count_ - 2 : 0;
  if (between > 0) drawn.push_back(1 + random_.below(between, counter));
  if (between > 1) {
    const std::size_t other = 1 + random_.below(between - 1, counter + 1);
    drawn.push_back(other < drawn[1] ? other : other + 1);
  }
  if (count_ > 1) drawn.push_back(count_ - 1);
  return drawn;
}

}  // namespace concertina::recipe
