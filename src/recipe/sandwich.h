#pragma once

#include <cstdint>
#include <vector>

#include "base/random.h"
#include "recipe/recipe.h"

namespace concertina::recipe {

/// The sub-nets of a training step, as indices into a list that is largest first. The largest always comes
/// first, then:
///   two    two different ones from between, and the smallest (sandwich rule, Yu and Huang 2019)
///   every  all others
/// A function of the seed and the step's number.
class Sandwich {
 public:
  /// Precondition: count >= 1.
  Sandwich(std::size_t count, JointSampling sampling, std::uint64_t seed)
      : count_(count), sampling_(sampling), random_(seed, kStream) {}

  std::vector<std::size_t> draw(std::int64_t step) const;

 private:
  /// Of the random numbers of a seed; epochs, which draw the images, have the small ones.
  static constexpr std::uint64_t kStream = std::uint64_t{1} << 32;

  std::size_t count_;
  JointSampling sampling_;
  CounterRandom random_;
};

}  // namespace concertina::recipe
