#include "simulation/alert_policy.h"

#include <algorithm>
#include <cmath>

namespace concertina::simulation {
namespace {

constexpr double kForgetting = 0.3;
constexpr double kMinProcess = 0.1;
constexpr double kMeasurement = 0.001;

double normal_below(double deviations) {
  return 0.5 * std::erfc(-deviations * M_SQRT1_2);
}

}  // namespace

control::Decision AlertPolicy::decide(const control::Request& request) {
  const double slack = to_ms(request.deadline - request.now);
  const double deviation = std::sqrt(variance_);
  int best = 0;
  double most = -1, in_time = 0;
  for (std::size_t i = 0; i < sizes_.size(); ++i) {
    const double probability = normal_below((slack / sizes_[i].times.median() - mean_) / deviation);
    const double worth = sizes_[i].accuracy < request.min_accuracy ? 0 : sizes_[i].accuracy * probability;
    if (worth <= most) continue;
    most = worth;
    in_time = probability;
    best = static_cast<int>(i);
  }
  return {.subnet = best,
          .predicted = from_ms(mean_ * sizes_[best].times.median()),
          .fits = in_time >= request.quantile};
}

void AlertPolicy::observe(const control::Observation& run) {
  const double profiled = sizes_[run.subnet].times.median();
  const double difference = to_ms(run.took) / profiled - mean_;
  process_ = std::max(kMinProcess,
                      kForgetting * process_ + (1 - kForgetting) * gain_ * gain_ * difference * difference);
  const double predicted = (1 - gain_) * variance_ + process_;
  gain_ = predicted / (predicted + kMeasurement);
  mean_ = std::max(mean_ + gain_ * difference, 1e-3);
  variance_ = predicted;
}

}  // namespace concertina::simulation
