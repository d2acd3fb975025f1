#include "simulation/fixed_policy.h"

namespace concertina::simulation {

FixedPolicy::FixedPolicy(const std::vector<control::SubnetProfile>& sizes, int subnet)
    : subnet_(subnet), size_(sizes[subnet]) {}

std::string FixedPolicy::name() const {
  return "fixed:" + std::to_string(subnet_);
}

control::Decision FixedPolicy::decide(const control::Request& request) {
  const Time predicted = from_ms(size_.times.at(request.quantile));
  return {.subnet = subnet_,
          .predicted = predicted,
          .fits = request.now + predicted <= request.deadline && size_.accuracy >= request.min_accuracy};
}

}  // namespace concertina::simulation
