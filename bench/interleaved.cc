#include "interleaved.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <thread>

#include "base/statistics.h"
#include "base/try.h"

namespace concertina::bench {
namespace {

double processor_seconds() {
  timespec spent{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + 1e-9 * static_cast<double>(spent.tv_nsec);
}

/// Waits until no thread of the process works or spins: a side's threads look out for work for a while after
/// its block, on the processors that the other side needs. A second at most. The system counts the time of
/// a thread that runs on another processor at its ticks, up to 10 ms apart.
void wait_until_quiet() {
  using namespace std::chrono_literals;
  for (int i = 0; i < 40; ++i) {
    const double before = processor_seconds();
    std::this_thread::sleep_for(25ms);
    if (processor_seconds() - before < 1e-3) return;
  }
}

/// Appends the times of `runs` runs; gives their median. Before them, uncounted ones for `warm_up_ms`: the
/// system may need tens of milliseconds to bring threads that slept to processors of their own.
Result<double> run_block(const std::function<Status()>& call, int runs, double warm_up_ms,
                         std::vector<double>& all) {
  wait_until_quiet();
  double warm = 0;
  for (int i = 0; i < 2 || warm < warm_up_ms; ++i) {
    ASSIGN_OR_RETURN(const double ms, time_ms(call));
    warm += ms;
  }
  std::vector<double> block;
  for (int i = 0; i < runs; ++i) {
    ASSIGN_OR_RETURN(const double ms, time_ms(call));
    block.push_back(ms);
  }
  all.insert(all.end(), block.begin(), block.end());
  return quantile(std::move(block), 0.5);
}

Result<int> runs_in_block(const std::function<Status()>& call, double block_ms) {
  double fastest = 1e300;
  for (int i = 0; i < 5; ++i) {
    ASSIGN_OR_RETURN(const double ms, time_ms(call));
    fastest = std::min(fastest, ms);
  }
  return std::clamp(static_cast<int>(block_ms / std::max(fastest, 1e-6)), 3, 10'000);
}

Times summary(const std::vector<double>& all) {
  return {.median_ms = quantile(all, 0.5), .p99_ms = quantile(all, 0.99)};
}

}  // namespace

Result<double> time_ms(const std::function<Status()>& call) {
  const auto start = std::chrono::steady_clock::now();
  RETURN_IF_ERROR(call());
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

Result<Interleaved> interleave(const std::function<Status()>& ours, const std::function<Status()>& peer,
                               const Pace& pace) {
  ASSIGN_OR_RETURN(const int our_runs, runs_in_block(ours, pace.block_ms));
  ASSIGN_OR_RETURN(const int peer_runs, runs_in_block(peer, pace.block_ms));
  std::vector<double> our_times, peer_times, ratios;
  for (int round = 0; round < pace.rounds; ++round) {
    ASSIGN_OR_RETURN(const double our_median, run_block(ours, our_runs, pace.block_ms, our_times));
    ASSIGN_OR_RETURN(const double peer_median, run_block(peer, peer_runs, pace.block_ms, peer_times));
    ratios.push_back(our_median / peer_median);
  }
  return Interleaved{.ours = summary(our_times),
                     .peer = summary(peer_times),
                     .ratio = quantile(ratios, 0.5),
                     .ratio_low = quantile(ratios, 0.25),
                     .ratio_high = quantile(ratios, 0.75)};
}

}  // namespace concertina::bench
