#include "profile/busy_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "base/statistics.h"

namespace concertina::profile {
namespace {

/// The system's own work, such as a tick of its timer, is shorter; a turn of another program is longer.
constexpr Time kInterruption = std::chrono::microseconds(100);

}  // namespace

double taken_share(const Clock& clock, Time duration) {
  const Time start = clock.now();
  Time last = start, taken{0};
  while (last - start < duration) {
    const Time now = clock.now();
    if (now - last > kInterruption) taken += now - last;
    last = now;
  }
  return to_ms(taken) / to_ms(last - start);
}

double taken_share(int threads, Time duration) {
  std::vector<double> shares(static_cast<std::size_t>(threads));
  {
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < shares.size(); ++i)
      others.emplace_back([&, i] { shares[i] = taken_share(SteadyClock(), duration); });
    shares[0] = taken_share(SteadyClock(), duration);
  }
  return *std::max_element(shares.begin(), shares.end());
}

double tail(std::span<const latency::TimeQuantiles> subnets) {
  std::vector<double> tails;
  for (const latency::TimeQuantiles& times : subnets) tails.push_back(times.at(0.99) / times.median());
  return quantile(std::move(tails), 0.5);
}

std::string describe_busy(const latency::LatencyTable& table) {
  std::map<std::pair<int, int>, std::vector<latency::TimeQuantiles>> cases;
  for (const latency::SubnetLatency& one : table.subnets)
    cases[{one.batch, one.threads}].push_back(one.times);
  double longest = kLongestTail;
  std::string text;
  for (const auto& [which, times] : cases) {
    const double found = tail(times);
    if (found <= longest) continue;
    longest = found;
    text = fmt::format(
        "the machine was too busy to be measured: with batch {} on {} thread{} one run in a hundred took {:.1f} "
        "times as long as usual; end other programs and run concertina profile again",
        which.first, which.second, which.second == 1 ? "" : "s", found);
  }
  return text;
}

}  // namespace concertina::profile
