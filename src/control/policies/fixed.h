#pragma once

#include "control/policy.h"

namespace concertina::control {

/// Always the same sub-net: a static model.
class FixedPolicy final : public Policy {
 public:
  /// Precondition: subnet is an index of sizes.
  FixedPolicy(const std::vector<Size>& sizes, int subnet);

  std::string name() const override;
  Decision decide(const Request& request) override;
  void observe(const Observation&) override {}

 private:
  int subnet_;
  Size size_;
};

}  // namespace concertina::control
