#include "control/policies/fixed.h"

namespace concertina::control {

FixedPolicy::FixedPolicy(const std::vector<Size>& sizes, int subnet)
    : subnet_(subnet), size_(sizes[static_cast<std::size_t>(subnet)]) {}

std::string FixedPolicy::name() const {
  return "fixed:" + std::to_string(subnet_);
}

Decision FixedPolicy::decide(const Request& request) {
  const Time predicted = from_ms(size_.times.at(request.quantile));
  return {.subnet = subnet_,
          .predicted = predicted,
          .fits = request.now + predicted <= request.deadline && size_.accuracy >= request.min_accuracy};
}

}  // namespace concertina::control
