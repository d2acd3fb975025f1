#include "control/switch_limiter.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace concertina::control {

SwitchLimiter::SwitchLimiter(std::unique_ptr<Policy> inner, std::vector<SubnetProfile> sizes,
                             const SwitchLimit& limit)
    : inner_(std::move(inner)), sizes_(std::move(sizes)), limit_(limit), tokens_(limit.at_once) {}

std::string SwitchLimiter::name() const {
  return fmt::format("{}, {:g} switches a second", inner_->name(), limit_.per_second);
}

Decision SwitchLimiter::decide(const Request& request) {
  refill(request.now);
  const Decision wanted = inner_->decide(request);
  const bool up = wanted.subnet != Decision::kShed && ran_ && wanted.subnet < *ran_;
  if (!up || tokens_ >= 1) return wanted;
  const Decision same = stay(request, wanted);
  return same.fits ? same : wanted;
}

void SwitchLimiter::observe(const Observation& observation) {
  // The debt of switches down the whole chain; what was forced besides is not held against later ones.
  const double most_debt = static_cast<double>(sizes_.size()) - 1;
  if (ran_ && *ran_ != observation.subnet) tokens_ = std::max(tokens_ - 1, -most_debt);
  ran_ = observation.subnet;
  inner_->observe(observation);
}

/// The sub-net that ran last in place of the wanted one. The machine is taken to be as much slower than the
/// quiet one for both.
Decision SwitchLimiter::stay(const Request& request, const Decision& wanted) const {
  const SubnetProfile& mine = sizes_[*ran_];
  const SubnetProfile& other = sizes_[wanted.subnet];
  const double ratio = mine.times.at(request.quantile) / other.times.at(request.quantile);
  const Time predicted = from_ms(to_ms(wanted.predicted) * ratio);
  const bool in_time = request.deadline >= request.now && predicted <= request.deadline - request.now;
  return {.subnet = *ran_, .predicted = predicted, .fits = in_time && mine.accuracy >= request.min_accuracy};
}

/// A clock that goes back gives nothing.
void SwitchLimiter::refill(Time now) {
  const double passed = refilled_ && now > *refilled_ ? to_ms(now) - to_ms(*refilled_) : 0;
  tokens_ = std::min(tokens_ + limit_.per_second * passed / 1000, limit_.at_once);
  refilled_ = now;
}

}  // namespace concertina::control
