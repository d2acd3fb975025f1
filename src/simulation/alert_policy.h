#pragma once

#include "control/policy.h"

namespace concertina::simulation {

/// A controller like ALERT's (Wan et al., ATC 2020), with its filter's constants: one slow-down factor is
/// followed by a Kalman filter with adaptive process noise, taken as normally distributed, and the sub-net
/// with the greatest expected accuracy within the slack is chosen. It knows nothing of a queue.
class AlertPolicy final : public control::Policy {
 public:
  explicit AlertPolicy(std::vector<control::SubnetProfile> sizes) : sizes_(std::move(sizes)) {}

  std::string name() const override { return "alert"; }
  control::Decision decide(const control::Request& request) override;
  void observe(const control::Observation& observation) override;

 private:
  std::vector<control::SubnetProfile> sizes_;
  double mean_ = 1;  ///< of the slow-down
  double variance_ = 0.1;
  double process_ = 0.1;  ///< noise
  double gain_ = 0.5;
};

}  // namespace concertina::simulation
