#include "simulation/policies.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "control/controller.h"

namespace concertina::simulation {
namespace {

constexpr std::string_view kFixed = "fixed:";

Result<std::unique_ptr<control::Policy>> make_fixed(std::string_view number,
                                                    const std::vector<control::SubnetProfile>& sizes) {
  const int subnet = parse_number<int>(number).value_or(-1);
  if (subnet < 0 || static_cast<std::size_t>(subnet) >= sizes.size()) {
    return Error{fmt::format("there is no sub-net '{}' for a fixed policy; the model has 0 to {}", number,
                             sizes.size() - 1)};
  }
  return std::unique_ptr<control::Policy>(std::make_unique<FixedPolicy>(sizes, subnet));
}

template <typename T>
std::unique_ptr<control::Policy> made(const std::vector<control::SubnetProfile>& sizes) {
  return std::make_unique<T>(sizes);
}

struct Maker {
  std::string_view name;
  std::unique_ptr<control::Policy> (*make)(const std::vector<control::SubnetProfile>& sizes);
};

constexpr Maker kMakers[] = {{"concertina", made<control::Controller>},
                             {"alert", made<AlertPolicy>},
                             {"slackfit", made<SlackFitPolicy>},
                             {"hysteresis", made<HysteresisPolicy>}};

int most_accurate_within(const std::vector<control::SubnetProfile>& sizes, double ms) {
  int best = -1;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i].times.median() > ms) continue;
    if (best < 0 || sizes[i].accuracy > sizes[best].accuracy) best = static_cast<int>(i);
  }
  return best;
}

// Of ALERT's filter.
constexpr double kForgetting = 0.3;
constexpr double kMinProcess = 0.1;
constexpr double kMeasurement = 0.001;

double normal_below(double deviations) {
  return 0.5 * std::erfc(-deviations * M_SQRT1_2);
}

}  // namespace

std::vector<std::string> policy_names(std::size_t sizes) {
  std::vector<std::string> names;
  for (const Maker& maker : kMakers) names.emplace_back(maker.name);
  for (std::size_t i = 0; i < sizes; ++i) names.push_back(fmt::format("{}{}", kFixed, i));
  return names;
}

Result<std::unique_ptr<control::Policy>> make_policy(std::string_view name,
                                                     const std::vector<control::SubnetProfile>& sizes) {
  for (const Maker& maker : kMakers)
    if (maker.name == name) return maker.make(sizes);
  if (name.starts_with(kFixed)) return make_fixed(name.substr(kFixed.size()), sizes);
  return Error{fmt::format("there is no policy '{}'; did you mean {}?", name,
                           nearest_name(name, policy_names(sizes.size())))};
}

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
