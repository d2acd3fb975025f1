#include "control/policies/slack_fit.h"

#include <algorithm>

namespace concertina::control {
namespace {

int most_accurate_within(const std::vector<Size>& sizes, double ms) {
  int best = -1;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i].times.median() > ms) continue;
    if (best < 0 || sizes[i].accuracy > sizes[static_cast<std::size_t>(best)].accuracy)
      best = static_cast<int>(i);
  }
  return best;
}

}  // namespace

SlackFitPolicy::SlackFitPolicy(std::vector<Size> sizes) : sizes_(std::move(sizes)) {
  const auto [fastest, slowest] =
      std::minmax_element(sizes_.begin(), sizes_.end(),
                          [](const Size& a, const Size& b) { return a.times.median() < b.times.median(); });
  first_ms_ = fastest->times.median();
  bucket_ms_ = std::max((slowest->times.median() - first_ms_) / kBuckets, 1e-9);
  for (int i = 0; i < kBuckets; ++i)
    bucket_.push_back(most_accurate_within(sizes_, first_ms_ + i * bucket_ms_));
  bucket_.push_back(most_accurate_within(sizes_, slowest->times.median()));
}

Decision SlackFitPolicy::decide(const Request& request) {
  const double slack = to_ms(request.deadline - request.now);
  const double at = std::clamp((slack - first_ms_) / bucket_ms_, 0.0, static_cast<double>(kBuckets));
  const int subnet = bucket_[static_cast<std::size_t>(at)];
  const Size& size = sizes_[static_cast<std::size_t>(subnet)];
  return {.subnet = subnet,
          .predicted = from_ms(size.times.median()),
          .fits = size.times.median() <= slack && size.accuracy >= request.min_accuracy};
}

}  // namespace concertina::control
