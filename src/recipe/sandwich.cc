#include "recipe/sandwich.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace concertina::recipe {

std::vector<std::size_t> Sandwich::draw(std::int64_t step, std::span<const double> losses) const {
  std::vector<std::size_t> drawn = {0};
  if (sampling_ == JointSampling::every) {
    for (std::size_t i = 1; i < count_; ++i) drawn.push_back(i);
    return drawn;
  }
  if (count_ > 2) {
    for (const std::uint64_t draw : {0u, 1u})
      drawn.push_back(draw_one(static_cast<std::uint64_t>(step) * 2 + draw, losses));
  }
  if (count_ > 1) drawn.push_back(count_ - 1);
  return drawn;
}

std::size_t Sandwich::draw_one(std::uint64_t counter, std::span<const double> losses) const {
  if (sampling_ == JointSampling::two) return 1 + random_.below(count_ - 2, counter);
  const std::span<const double> between = losses.subspan(1, count_ - 2);
  double left = random_.uniform(counter) * std::accumulate(between.begin(), between.end(), 0.0);
  for (std::size_t i = 0; i + 1 < between.size(); ++i) {
    left -= between[i];
    if (left < 0) return 1 + i;
  }
  return count_ - 2;
}

RandomSandwich::RandomSandwich(const Graph& graph, const ChannelGroups& groups, int smallest_groups,
                               std::uint64_t seed)
    : full_(full_subnet(graph)),
      groups_(groups),
      smallest_groups_(smallest_groups),
      random_(seed, Sandwich::kStream) {}

std::vector<Subnet> RandomSandwich::draw(std::int64_t step) const {
  const auto number = static_cast<std::uint64_t>(step) * 3;
  return {full_, random_subnet(number, groups_.groups()), random_subnet(number + 1, groups_.groups()),
          random_subnet(number + 2, smallest_groups_)};
}

Subnet RandomSandwich::random_subnet(std::uint64_t number, int largest_groups) const {
  constexpr double kSpread = 0.3;  // of all groups, to each side
  const std::uint64_t counter = number * (full_.widths.size() + 1);
  const double size = smallest_groups_ + random_.uniform(counter) * (largest_groups - smallest_groups_);
  Subnet subnet = full_;
  for (std::size_t d = 0; d < full_.widths.size(); ++d) {
    const double offset = kSpread * (2 * random_.uniform(counter + 1 + d) - 1);
    const auto kept = static_cast<int>(std::lround(size + offset * groups_.groups()));
    subnet.widths[d] = groups_.width(static_cast<int>(d), std::clamp(kept, 1, groups_.groups()));
  }
  return subnet;
}

}  // namespace concertina::recipe
