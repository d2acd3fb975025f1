#pragma once

#include <array>

#include "control/policy.h"

namespace concertina::simulation {

/// What people write by hand: watch the response time of the last requests; if its 99th percentile comes near
/// the deadline, take the next smaller sub-net, and if it stays far below, the next larger.
class HysteresisPolicy final : public control::Policy {
 public:
  struct Options {
    double down_above = 0.9;  ///< of the time from arrival to deadline
    double up_below = 0.5;    ///< the same
    int window = 100;         ///< requests; 1 .. 128; as many must pass after a change
  };

  explicit HysteresisPolicy(std::vector<control::SubnetProfile> sizes)
      : HysteresisPolicy(std::move(sizes), Options()) {}
  HysteresisPolicy(std::vector<control::SubnetProfile> sizes, const Options& options);

  std::string name() const override { return "hysteresis"; }
  control::Decision decide(const control::Request& request) override;
  void observe(const control::Observation& observation) override;

 private:
  void move(int by);

  std::vector<control::SubnetProfile> sizes_;
  Options options_;
  int subnet_ = 0;
  std::array<double, 128> responses_ = {};  ///< shares of the time there was
  int seen_ = 0;                            ///< since the last change
};

}  // namespace concertina::simulation
