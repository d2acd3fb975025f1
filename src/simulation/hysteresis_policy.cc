#include "simulation/hysteresis_policy.h"

#include <algorithm>

namespace concertina::simulation {

HysteresisPolicy::HysteresisPolicy(std::vector<control::SubnetProfile> sizes, const Options& options)
    : sizes_(std::move(sizes)), options_(options) {}

control::Decision HysteresisPolicy::decide(const control::Request& request) {
  const control::SubnetProfile& size = sizes_[subnet_];
  const Time predicted = from_ms(size.times.at(request.quantile));
  return {.subnet = subnet_,
          .predicted = predicted,
          .fits = request.now + predicted <= request.deadline && size.accuracy >= request.min_accuracy};
}

void HysteresisPolicy::move(int by) {
  subnet_ = std::clamp(subnet_ + by, 0, static_cast<int>(sizes_.size()) - 1);
  seen_ = 0;
}

void HysteresisPolicy::observe(const control::Observation& run) {
  const double allowed = to_ms(run.deadline - run.arrival);
  if (!(allowed > 0)) return;
  responses_[seen_ % options_.window] = to_ms(run.started + run.took - run.arrival) / allowed;
  ++seen_;
  if (seen_ < options_.window) return;
  std::array<double, 128> sorted = responses_;
  const auto end = sorted.begin() + options_.window;
  const auto tail = sorted.begin() + options_.window * 99 / 100;
  std::nth_element(sorted.begin(), tail == end ? end - 1 : tail, end);
  const double p99 = *(tail == end ? end - 1 : tail);
  if (p99 > options_.down_above) {
    move(+1);
  } else if (p99 < options_.up_below) {
    move(-1);
  }
}

}  // namespace concertina::simulation
