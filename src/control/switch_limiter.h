#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "control/policy.h"

namespace concertina::control {

/// How often sizes may change so that one can see it.
struct SwitchLimit {
  double per_second = 2;  ///< switches in the long run, above 0
  double at_once = 2;     ///< switches that may be saved up, at least 1
};

/// Keeps a policy from switching up too often. Every switch takes a token of a bucket that is refilled
/// steadily. A switch down is always made, on credit if need be, because the deadline may need it; one up
/// waits for a token, unless the sub-net that ran last does not fit: is not accurate enough, or late. But for
/// these, there are at most at_once + per_second * T switches in any T seconds, and those down the chain
/// once.
class SwitchLimiter final : public Policy {
 public:
  /// `sizes` of all sub-nets, as the inner policy knows them. Precondition: inner is not null.
  SwitchLimiter(std::unique_ptr<Policy> inner, std::vector<SubnetProfile> sizes,
                const SwitchLimit& limit = {});

  std::string name() const override;
  Decision decide(const Request& request) override;
  void observe(const Observation& observation) override;

 private:
  Decision stay(const Request& request, const Decision& wanted) const;
  void refill(Time now);

  std::unique_ptr<Policy> inner_;
  std::vector<SubnetProfile> sizes_;
  SwitchLimit limit_;
  double tokens_;
  std::optional<Time> refilled_;
  std::optional<int> ran_;  ///< last
};

}  // namespace concertina::control
