#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"
#include "graph/channel_groups.h"
#include "recipe/recipe.h"

namespace concertina::recipe {

/// Which sub-nets of a list, largest first, a step of joint training takes, besides the largest, which comes
/// first:
///   two      two drawn from those between, and the smallest: the sandwich rule (Yu and Huang 2019)
///   lagging  the same, drawn in proportion to their present losses
///   every    all others
/// A function of the seed, the step's number and the losses.
class Sandwich {
 public:
  /// Precondition: count >= 1.
  Sandwich(std::size_t count, JointSampling sampling, std::uint64_t seed)
      : count_(count), sampling_(sampling), random_(seed, kStream) {}

  /// Of the random numbers of a seed; epochs, which draw the images, have the small ones.
  static constexpr std::uint64_t kStream = std::uint64_t{1} << 32;

  /// `losses`: of each sub-net, positive.
  std::vector<std::size_t> draw(std::int64_t step, std::span<const double> losses) const;

 private:
  std::size_t draw_one(std::uint64_t counter, std::span<const double> losses) const;

  std::size_t count_;
  JointSampling sampling_;
  CounterRandom random_;
};

/// The sandwich of random sub-nets of the lattice, of which few are uniform: the largest, two drawn ones, and
/// a drawn one among the smallest. A size between `smallest_groups` and all of the groups is drawn, and each
/// dimension's share of groups from around it. What is searched afterwards has then been trained a little,
/// wherever the search goes; a smallest one that was always uniform would favour that shape.
class RandomSandwich {
 public:
  RandomSandwich(const Graph& graph, const ChannelGroups& groups, int smallest_groups, std::uint64_t seed);

  std::vector<Subnet> draw(std::int64_t step) const;

 private:
  Subnet random_subnet(std::uint64_t number, int largest_groups) const;

  Subnet full_;
  ChannelGroups groups_;
  int smallest_groups_;
  CounterRandom random_;
};

}  // namespace concertina::recipe
