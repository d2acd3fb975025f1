#pragma once

#include <cstdint>

#include "base/random.h"

namespace concertina::simulation {

/// Draws from one stream of random numbers, one after the other.
class Draws {
 public:
  explicit Draws(CounterRandom random) : random_(random) {}

  /// Uniform in [0, 1).
  double uniform() { return random_.uniform(counter_++); }
  /// Exponential with mean 1.
  double exponential();
  /// Standard normal.
  double normal();
  /// Gamma with this shape and scale 1: its mean is the shape. Precondition: positive.
  double gamma(double shape);

 private:
  CounterRandom random_;
  std::uint64_t counter_ = 0;
};

}  // namespace concertina::simulation
