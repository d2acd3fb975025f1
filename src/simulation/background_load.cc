#include "simulation/background_load.h"

#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>

#include <algorithm>

#include "base/machine.h"
#include "base/try.h"

namespace concertina::simulation {
namespace {

/// A burst and the pause after it: shorter than most runs, so that these meet a slow machine, not a stop.
constexpr Time kPeriod = std::chrono::microseconds(200);

/// How often it is asked for while the machine is to be quiet.
constexpr Time kQuiet = std::chrono::milliseconds(1);

void work_until(const Clock& clock, Time time) {
  while (clock.now() < time) {
  }
}

void take_turns(const std::stop_token& stop, const Contention& contention, double overhead, Time start) {
  const SteadyClock clock;
  prctl(PR_SET_TIMERSLACK, 1);  // ns: a sleep is to end when it should
  Time burst = clock.now();
  while (!stop.stop_requested()) {
    const double factor = contention.factor(burst - start);
    const double share = factor > 1 ? std::clamp(1 - 1 / factor - overhead, 0.0, 0.95) : 0.0;
    const Time work = std::chrono::duration_cast<Time>(kPeriod * share);
    work_until(clock, clock.now() + work);
    burst = std::max(burst + (factor > 1 ? kPeriod : kQuiet), clock.now());
    std::this_thread::sleep_until(std::chrono::steady_clock::time_point(burst));
  }
}

/// Milliseconds of a run of the largest sub-net, over so much time.
Result<double> mean_run_ms(Server& server, Time duration) {
  const Time start = server.clock().now();
  int runs = 0;
  do {
    RETURN_IF_ERROR(server.run(0, static_cast<std::size_t>(runs++)));
  } while (server.clock().now() - start < duration);
  return to_ms(server.clock().now() - start) / runs;
}

}  // namespace

BackgroundLoad::BackgroundLoad(Contention contention, const std::vector<int>& processors, double overhead)
    : contention_(std::move(contention)), overhead_(overhead) {
  if (contention_.changes().empty()) return;
  const Time start = SteadyClock().now();
  for (const int processor : processors) {
    threads_.emplace_back(
        [this, start](const std::stop_token& stop) { take_turns(stop, contention_, overhead_, start); });
    const pthread_t thread = threads_.back().native_handle();
    (void)pin_thread(thread, {processor});
    const sched_param priority{.sched_priority = 1};
    has_priority_ = pthread_setschedparam(thread, SCHED_FIFO, &priority) == 0 && has_priority_;
  }
}

BackgroundLoad::~BackgroundLoad() = default;

Result<double> measured_slow_down(double factor, double overhead, const std::vector<int>& processors,
                                  Server& server) {
  constexpr int kTurns = 5;
  constexpr Time kTurn = std::chrono::milliseconds(50);
  double quiet = 0, loaded = 0;
  for (int i = 0; i < kTurns; ++i) {
    ASSIGN_OR_RETURN(const double without, mean_run_ms(server, kTurn));
    const BackgroundLoad load(Contention({{.at = Time(0), .factor = factor}}), processors, overhead);
    ASSIGN_OR_RETURN(const double with, mean_run_ms(server, kTurn));
    quiet += without;
    loaded += with;
  }
  return loaded / quiet;
}

Result<double> measured_overhead(const std::vector<int>& processors, Server& server) {
  constexpr double kFactor = 1.8;
  double overhead = 0;
  for (int i = 0; i < 2; ++i) {
    ASSIGN_OR_RETURN(const double measured, measured_slow_down(kFactor, overhead, processors, server));
    overhead = std::clamp(overhead + 1 / kFactor - 1 / measured, -0.3, 0.4);
  }
  return overhead;
}

}  // namespace concertina::simulation
