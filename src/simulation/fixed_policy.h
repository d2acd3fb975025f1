#pragma once

#include "control/policy.h"

namespace concertina::simulation {

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

}  // namespace concertina::simulation
