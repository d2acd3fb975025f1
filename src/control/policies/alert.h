#pragma once

#include "control/policy.h"

namespace concertina::control {

/// A controller like ALERT's (Wan et al., ATC 2020), with its filter's constants: one slow-down factor is
/// followed by a Kalman filter with adaptive process noise, taken as normally distributed, and the sub-net
/// with the greatest expected accuracy within the slack is chosen. It knows nothing of a queue.
class AlertPolicy final : public Policy {
 public:
  explicit AlertPolicy(std::vector<Size> sizes) : sizes_(std::move(sizes)) {}

  std::string name() const override { return "alert"; }
  Decision decide(const Request& request) override;
  void observe(const Observation& observation) override;

 private:
  std::vector<Size> sizes_;
  double mean_ = 1;  ///< of the slow-down
  double variance_ = 0.1;
  double process_ = 0.1;  ///< noise
  double gain_ = 0.5;
};

}  // namespace concertina::control
