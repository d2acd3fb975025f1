#include "control/controller.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace concertina::control {
namespace {

/// A request is given up when the fastest sub-net is less likely than this to be in time. If it could not
/// serve all that wait either, some have to be given up, and those that would be late are the ones to begin
/// with.
constexpr double kHopeless = 0.05;
constexpr double kOverload = 0.9;

/// Turns that are kept free for each request that waits, for where there are some, more will come.
constexpr double kReserve = 0.5;

/// How many runs of the quiet machine's table the noise starts from.
constexpr double kRunsOfTable = 200;

/// Runs that took more than an hour are of a machine that slept.
constexpr double kLongestRunMs = 3.6e6;

/// The table's times as if they had been observed.
void learn_from_table(const std::vector<Size>& sizes, double noise, RunNoise& runs) {
  for (const Size& size : sizes) {
    double below = 0;
    for (std::size_t i = 0; i < TimeQuantiles::kLevels.size(); ++i) {
      const double share = TimeQuantiles::kLevels[i] - below;
      below = TimeQuantiles::kLevels[i];
      runs.observe(size.times.median(), size.times.milliseconds()[i], noise,
                   share * kRunsOfTable / static_cast<double>(sizes.size()));
    }
  }
}

}  // namespace

Controller::Controller(std::vector<Size> sizes)
    : sizes_(std::move(sizes)),
      expected_ms_(sizes_.size()),
      bounds_ms_(sizes_.size()),
      by_accuracy_(sizes_.size()),
      slow_down_(sizes_.size()) {
  for (const Size& size : sizes_) accuracies_.push_back(size.accuracy);
  std::iota(by_accuracy_.begin(), by_accuracy_.end(), 0);
  std::stable_sort(by_accuracy_.begin(), by_accuracy_.end(), [&](int a, int b) {
    const Size &one = sizes_[static_cast<std::size_t>(a)], &other = sizes_[static_cast<std::size_t>(b)];
    return one.accuracy != other.accuracy ? one.accuracy > other.accuracy
                                          : one.times.median() < other.times.median();
  });
  learn_from_table(sizes_, slow_down_.noise(), noise_);
  expect();
}

void Controller::expect() {
  for (std::size_t i = 0; i < sizes_.size(); ++i) {
    expected_ms_[i] = sizes_[i].times.median() * slow_down_.factor(static_cast<int>(i));
    bounds_ms_[i] = noise_.bound(expected_ms_[i], bounds_quantile_);
  }
}

double Controller::bound_ms(int subnet, double quantile) const {
  return quantile == bounds_quantile_ ? bounds_ms_[static_cast<std::size_t>(subnet)]
                                      : noise_.bound(expected_ms(subnet), quantile);
}

Controller::Pace Controller::pace(const Request& request) const {
  double with_reserve = std::numeric_limits<double>::infinity(), of_all = with_reserve, waiting = 0;
  for (const Time deadline : request.waiting) {
    waiting += 1;
    const double left = to_ms(deadline - request.now);
    with_reserve = std::min(with_reserve, left / (1 + (1 + kReserve) * waiting));
    of_all = std::min(of_all, left / (1 + waiting));
  }
  const double longer = 1 + noise_.interrupted_share();
  return {.with_reserve = with_reserve / longer, .of_all = of_all / longer};
}

Controller::Candidate Controller::candidate(int subnet, double slack) const {
  const double in_time = noise_.within(expected_ms(subnet), slack);
  return {
      .subnet = subnet, .in_time = in_time, .worth = accuracies_[static_cast<std::size_t>(subnet)] * in_time};
}

Decision Controller::decided(const Candidate& chosen, const Request& request, bool fits) const {
  return {
      .subnet = chosen.subnet, .predicted = from_ms(bound_ms(chosen.subnet, request.quantile)), .fits = fits};
}

Decision Controller::decide(const Request& request) {
  const double slack = to_ms(request.deadline - request.now);
  const auto [with_reserve, of_all] = pace(request);
  const double wanted = 1 - budget_.risk(request.quantile);
  const int first = first_allowed();
  decided_ = true;
  refused_ = false;
  Candidate best, fastest;
  double fastest_ms = std::numeric_limits<double>::infinity();
  for (const int subnet : by_accuracy_) {
    if (subnet < first || accuracies_[static_cast<std::size_t>(subnet)] < request.min_accuracy) continue;
    const Candidate one = candidate(subnet, slack);
    const double ms = expected_ms(subnet);
    if (ms <= with_reserve) {
      if (one.in_time >= wanted) return decided(one, request, true);
      refused_ = true;
      if (one.worth > best.worth) best = one;
    }
    if (ms < fastest_ms) {
      fastest_ms = ms;
      fastest = one;
    }
  }
  if (best.worth <= fastest.worth) best = fastest;
  const bool hopeless = sure_ && fastest.in_time < (fastest_ms > of_all ? kOverload : kHopeless);
  if (fastest.subnet < 0 || hopeless || slack <= 0) {
    budget_.observe(request.quantile, true, refused_);
    decided_ = false;
    return {};
  }
  return decided(best, request, false);
}

/// Interruptions are told from a change of the machine by what follows: until then the run is set aside.
void Controller::learn(int subnet, double took, Time ended) {
  const double expected = expected_ms(subnet);
  const double quiet = sizes_[static_cast<std::size_t>(subnet)].times.median();
  const SlowDown::Verdict verdict = slow_down_.observe(subnet, took / quiet, ended);
  sure_ = verdict == SlowDown::Verdict::usual;
  switch (verdict) {
    case SlowDown::Verdict::suspect:
      if (suspected_ == suspects_.size()) settle_suspects();
      suspects_[suspected_++] = {expected, took};
      return;
    case SlowDown::Verdict::usual:
      settle_suspects();
      noise_.observe(expected, took, slow_down_.noise());
      return;
    case SlowDown::Verdict::jump:
      suspected_ = 0;
  }
}

/// They were interrupted.
void Controller::settle_suspects() {
  for (std::size_t i = 0; i < suspected_; ++i)
    noise_.observe(suspects_[i].expected, suspects_[i].took, slow_down_.noise());
  suspected_ = 0;
}

void Controller::observe(const Observation& run) {
  const double took = to_ms(run.took);
  if (!(took > 0) || took > kLongestRunMs) return;
  const Time ended = run.started + run.took;
  learn(run.subnet, took, ended);
  bounds_quantile_ = run.quantile;
  expect();
  if (decided_) budget_.observe(run.quantile, ended > run.deadline, refused_);
  decided_ = false;
}

}  // namespace concertina::control
