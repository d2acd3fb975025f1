#pragma once

#include <utility>
#include <vector>

#include "control/policy.h"
#include "control/slow_down.h"

namespace concertina::cascade {

/// How long runs are expected to take now.
class RunTimes {
 public:
  virtual ~RunTimes() = default;
  /// The time that a share `quantile` (above 0, below 1) of the sub-net's runs does not exceed now.
  virtual Time predict(int subnet, double quantile) const = 0;
};

/// A latency table's times, times how much slower the machine is now than when it was quiet.
class SlowedTimes final : public RunTimes {
 public:
  /// `sizes` are the model's sub-nets by index (subnet_profiles.h).
  explicit SlowedTimes(std::vector<control::SubnetProfile> sizes)
      : sizes_(std::move(sizes)), slow_down_(sizes_.size()) {}

  Time predict(int subnet, double quantile) const override {
    return from_ms(sizes_[subnet].times.at(quantile) * slow_down_.factor(subnet));
  }

  /// To be told of every run, in order. Neither allocates nor locks.
  void observe(int subnet, Time took, Time ended) {
    const double ratio = to_ms(took) / sizes_[subnet].times.median();
    if (ratio > 0) slow_down_.observe(subnet, ratio, ended);
  }

 private:
  std::vector<control::SubnetProfile> sizes_;
  control::SlowDown slow_down_;
};

}  // namespace concertina::cascade
