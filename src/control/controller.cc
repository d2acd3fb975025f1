#include "control/controller.h"

#include <algorithm>
#include <cmath>
#include <limits>

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

/// What is predicted where no time is long enough: 30 years, which a Time can hold.
constexpr double kNeverMs = 1e12;

/// Runs that took more than an hour are of a machine that slept.
constexpr double kLongestRunMs = 3.6e6;

/// The table's times as if they had been observed.
void learn_from_table(const std::vector<SubnetProfile>& sizes, double noise, RunNoise& runs) {
  for (const SubnetProfile& size : sizes) {
    double below = 0;
    for (std::size_t i = 0; i < latency::TimeQuantiles::kLevels.size(); ++i) {
      const double share = latency::TimeQuantiles::kLevels[i] - below;
      below = latency::TimeQuantiles::kLevels[i];
      runs.observe(size.times.median(), size.times.milliseconds()[i], noise,
                   share * kRunsOfTable / static_cast<double>(sizes.size()));
    }
  }
}

}  // namespace

Controller::Controller(std::vector<SubnetProfile> sizes)
    : sizes_(std::move(sizes)), outlooks_(sizes_.size()), places_(sizes_.size()), slow_down_(sizes_.size()) {
  for (std::size_t i = 0; i < sizes_.size(); ++i) {
    outlooks_[i].subnet = static_cast<int>(i);
    outlooks_[i].accuracy = sizes_[i].accuracy;
  }
  std::stable_sort(outlooks_.begin(), outlooks_.end(), [&](const Outlook& a, const Outlook& b) {
    return a.accuracy != b.accuracy ? a.accuracy > b.accuracy : quiet_ms(a.subnet) < quiet_ms(b.subnet);
  });
  for (std::size_t i = 0; i < outlooks_.size(); ++i) places_[outlooks_[i].subnet] = static_cast<int>(i);
  learn_from_table(sizes_, slow_down_.noise(), noise_);
  expect();
}

void Controller::expect() {
  for (Outlook& one : outlooks_) {
    one.expected_ms = quiet_ms(one.subnet) * slow_down_.factor(one.subnet);
  }
  probability_ = -1;
  need(quantile_);
}

void Controller::need(double quantile) {
  const double probability = 1 - budget_.risk(quantile);
  if (probability == probability_) return;
  probability_ = probability;
  for (Outlook& one : outlooks_) one.needed_ms = noise_.needed(one.expected_ms, probability, one.hint);
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

Controller::Candidate Controller::candidate(const Outlook& outlook, double slack) const {
  const double in_time = noise_.within(outlook.expected_ms, slack);
  return {.outlook = &outlook, .in_time = in_time, .worth = outlook.accuracy * in_time};
}

Decision Controller::decided(const Outlook& outlook, const Request& request) const {
  const Time predicted = from_ms(std::min(outlook.needed_ms, kNeverMs));
  return {
      .subnet = outlook.subnet, .predicted = predicted, .fits = request.now + predicted <= request.deadline};
}

Decision Controller::decide_on(int subnet, const Request& request) {
  need(request.quantile);
  return decided(outlook(subnet), request);
}

Decision Controller::decide(const Request& request) {
  const double slack = to_ms(request.deadline - request.now);
  const auto [with_reserve, of_all] = pace(request);
  need(request.quantile);
  const int first = first_allowed();
  const auto may_run = [&](const Outlook& one) {
    return one.subnet >= first && one.accuracy >= request.min_accuracy;
  };
  decided_ = true;
  refused_ = false;
  const Outlook* fastest = nullptr;
  for (const Outlook& one : outlooks_) {
    if (!may_run(one)) continue;
    if (one.expected_ms <= with_reserve) {
      if (one.needed_ms <= slack) return decided(one, request);
      refused_ = true;
    }
    if (fastest == nullptr || one.expected_ms < fastest->expected_ms) fastest = &one;
  }
  if (fastest == nullptr || slack <= 0) return shed(request);
  noise_.prefetch();
  Candidate best = candidate(*fastest, slack);
  const bool hopeless = sure_ && best.in_time < (fastest->expected_ms > of_all ? kOverload : kHopeless);
  if (hopeless) return shed(request);
  for (const Outlook& one : outlooks_) {
    if (&one == fastest || !may_run(one) || one.expected_ms > with_reserve) continue;
    const Candidate other = candidate(one, slack);
    if (other.worth > best.worth) best = other;
  }
  return decided(*best.outlook, request);
}

Decision Controller::shed(const Request& request) {
  budget_.observe(request.quantile, true, refused_);
  decided_ = false;
  return {};
}

/// Interruptions are told from a change of the machine by what follows: until then the run is set aside.
void Controller::learn(int subnet, double took, Time ended) {
  const double expected = expected_ms(subnet);
  const SlowDown::Verdict verdict = slow_down_.observe(subnet, took / quiet_ms(subnet), ended);
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
  if (decided_) budget_.observe(run.quantile, ended > run.deadline, refused_);
  decided_ = false;
  quantile_ = run.quantile;
  expect();
}

}  // namespace concertina::control
