#pragma once

#include <algorithm>
#include <vector>

#include "control/policy.h"

namespace concertina::simulation {

/// Times another policy's decisions.
class TimedPolicy final : public control::Policy {
 public:
  /// Precondition: `timed` outlives it; there are at most `decisions`.
  TimedPolicy(control::Policy& timed, std::size_t decisions) : timed_(timed) {
    microseconds_.reserve(decisions);
    clocks_own_ = clocks_own();
  }

  std::string name() const override { return timed_.name(); }

  control::Decision decide(const control::Request& request) override {
    const Time before = clock_.now();
    const control::Decision decision = timed_.decide(request);
    microseconds_.push_back(1e3 * to_ms(clock_.now() - before - clocks_own_));
    return decision;
  }

  void observe(const control::Observation& observation) override { timed_.observe(observation); }

  /// Of each decision, without the time that looking at the clock takes at least.
  const std::vector<double>& microseconds() const { return microseconds_; }

 private:
  Time clocks_own() const {
    constexpr int kTries = 1000;
    Time least = Time::max();
    for (int i = 0; i < kTries; ++i) {
      const Time before = clock_.now();
      least = std::min(least, clock_.now() - before);
    }
    return least;
  }

  control::Policy& timed_;
  SteadyClock clock_;
  Time clocks_own_{0};
  std::vector<double> microseconds_;
};

}  // namespace concertina::simulation
