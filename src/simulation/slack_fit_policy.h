#pragma once

#include "control/policy.h"

namespace concertina::simulation {

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

}  // namespace concertina::simulation
