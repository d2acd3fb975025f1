#pragma once

#include <vector>

#include "control/policy.h"

namespace concertina::control {

/// Times another policy's decisions.
class TimedPolicy final : public Policy {
 public:
  /// Precondition: `timed` outlives it; there are at most `decisions`.
  TimedPolicy(Policy& timed, std::size_t decisions) : timed_(timed) { microseconds_.reserve(decisions); }

  std::string name() const override { return timed_.name(); }

  Decision decide(const Request& request) override {
    const Time before = clock_.now();
    const Decision decision = timed_.decide(request);
    microseconds_.push_back(1e3 * to_ms(clock_.now() - before));
    return decision;
  }

  void observe(const Observation& observation) override { timed_.observe(observation); }

  /// Of each decision, the clock's own time included.
  const std::vector<double>& microseconds() const { return microseconds_; }

 private:
  Policy& timed_;
  SteadyClock clock_;
  std::vector<double> microseconds_;
};

}  // namespace concertina::control
