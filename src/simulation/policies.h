#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "concertina/result.h"
#include "control/policy.h"

namespace concertina::simulation {

/// What make_policy() knows, of the fixed ones each: ours first.
std::vector<std::string> policy_names(std::size_t sizes);

/// "concertina", "alert", "slackfit", "hysteresis", or "fixed:N" for a sub-net's index. Fails with the
/// nearest name.
Result<std::unique_ptr<control::Policy>> make_policy(std::string_view name,
                                                     const std::vector<control::SubnetProfile>& sizes);

/// Always the same sub-net: a static model.
class FixedPolicy final : public control::Policy {
 public:
  /// Precondition: subnet is an index of sizes.
  FixedPolicy(const std::vector<control::SubnetProfile>& sizes, int subnet);

  std::string name() const override;
  control::Decision decide(const control::Request& request) override;
  void observe(const control::Observation&) override {}

 private:
  int subnet_;
  control::SubnetProfile size_;
};

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

/// SuperServe's SlackFit (Khare et al., NSDI 2025) with batches of one: the range of sub-nets' times is
/// divided into equal buckets beforehand, each knows the most accurate sub-net that is not slower, and a
/// request takes the bucket of the slack it has.
class SlackFitPolicy final : public control::Policy {
 public:
  explicit SlackFitPolicy(std::vector<control::SubnetProfile> sizes);

  std::string name() const override { return "slackfit"; }
  control::Decision decide(const control::Request& request) override;
  void observe(const control::Observation&) override {}

 private:
  static constexpr int kBuckets = 16;

  std::vector<control::SubnetProfile> sizes_;
  double first_ms_ = 0;   ///< the fastest sub-net's time
  double bucket_ms_ = 0;  ///< a bucket's width
  std::vector<int> bucket_;
};

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
