#include "simulation/slack_fit_policy.h"

#include <algorithm>

namespace concertina::simulation {
namespace {

int most_accurate_within(const std::vector<control::SubnetProfile>& sizes, double ms) {
  int best = -1;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i].times.median() > ms) continue;
    if (best < 0 || sizes[i].accuracy > sizes[best].accuracy) best = static_cast<int>(i);
  }
  return best;
}

}  // namespace

SlackFitPolicy::SlackFitPolicy(std::vector<control::SubnetProfile> sizes) : sizes_(std::move(sizes)) {
  const auto [fastest, slowest] = std::minmax_element(
      sizes_.begin(), sizes_.end(), [](const control::SubnetProfile& a, const control::SubnetProfile& b) {
        return a.times.median() < b.times.median();
      });
  first_ms_ = fastest->times.median();
  bucket_ms_ = std::max((slowest->times.median() - first_ms_) / kBuckets, 1e-9);
  for (int i = 0; i < kBuckets; ++i)
    bucket_.push_back(most_accurate_within(sizes_, first_ms_ + i * bucket_ms_));
  bucket_.push_back(most_accurate_within(sizes_, slowest->times.median()));
}

control::Decision SlackFitPolicy::decide(const control::Request& request) {
  const double slack = to_ms(request.deadline - request.now);
  const double at = std::clamp((slack - first_ms_) / bucket_ms_, 0.0, static_cast<double>(kBuckets));
  const int subnet = bucket_[at];
  const control::SubnetProfile& size = sizes_[subnet];
  return {.subnet = subnet,
          .predicted = from_ms(size.times.median()),
          .fits = size.times.median() <= slack && size.accuracy >= request.min_accuracy};
}

}  // namespace concertina::simulation
