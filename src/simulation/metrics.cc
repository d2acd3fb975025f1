#include "simulation/metrics.h"

#include <algorithm>

#include "base/statistics.h"

namespace concertina::simulation {
namespace {

double share(double part, double whole) {
  return whole > 0 ? part / whole : 0;
}

void add_response_times(std::span<const Outcome> outcomes, Metrics& metrics) {
  std::vector<double> times;
  for (const Outcome& one : outcomes)
    if (one.answered()) times.push_back(to_ms(one.end - one.arrival));
  if (times.empty()) return;
  metrics.p50_ms = quantile(times, 0.5);
  metrics.p99_ms = quantile(times, 0.99);
  metrics.p999_ms = quantile(times, 0.999);
}

double switches_per_second(std::span<const Outcome> outcomes) {
  if (outcomes.empty()) return 0;
  int switches = 0;
  const Outcome* before = nullptr;
  Time begin = outcomes.front().arrival, end = begin;
  for (const Outcome& one : outcomes) {
    begin = std::min(begin, one.arrival);
    if (!one.answered()) continue;
    if (before && before->subnet != one.subnet) ++switches;
    before = &one;
    end = std::max(end, one.end);
  }
  return share(switches, to_ms(end - begin) / 1e3);
}

}  // namespace

Metrics measure(std::span<const Outcome> outcomes, std::span<const double> accuracies) {
  Metrics metrics;
  metrics.requests = static_cast<int>(outcomes.size());
  metrics.shares.assign(accuracies.size(), 0.0);
  double right = 0;
  for (const Outcome& one : outcomes) {
    if (!one.answered()) continue;
    const auto subnet = static_cast<std::size_t>(one.subnet);
    ++metrics.answered;
    ++metrics.shares[subnet];
    if (!one.on_time()) continue;
    ++metrics.on_time;
    right += accuracies[subnet];
  }
  for (double& count : metrics.shares) count = share(count, metrics.answered);
  metrics.shed = metrics.requests - metrics.answered;
  metrics.on_time_rate = share(metrics.on_time, metrics.requests);
  metrics.accuracy = share(right, metrics.on_time);
  metrics.yield = share(right, metrics.requests);
  metrics.miss_rate = share(metrics.answered - metrics.on_time, metrics.answered);
  add_response_times(outcomes, metrics);
  metrics.switches_per_second = switches_per_second(outcomes);
  return metrics;
}

}  // namespace concertina::simulation
