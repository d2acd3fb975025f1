#include "control/serving/background_load.h"

#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>

#include "base/processors.h"

namespace concertina::control {
namespace {

/// A burst and the pause after it: shorter than most runs, so that these meet a slow machine, not a stop.
constexpr Time kPeriod = std::chrono::microseconds(200);

/// How often it is asked for while the machine is to be quiet.
constexpr Time kQuiet = std::chrono::milliseconds(1);

void work_until(const Clock& clock, Time time) {
  while (clock.now() < time) {
  }
}

void take_turns(const std::stop_token& stop, const Contention& contention, Time start) {
  const SteadyClock clock;
  prctl(PR_SET_TIMERSLACK, 1);  // ns: a sleep is to end when it should
  Time burst = clock.now();
  while (!stop.stop_requested()) {
    const double factor = contention.factor(burst - start);
    const Time work = std::chrono::duration_cast<Time>(kPeriod * (1 - 1 / factor));
    work_until(clock, clock.now() + work);
    burst = std::max(burst + (factor > 1 ? kPeriod : kQuiet), clock.now());
    std::this_thread::sleep_until(std::chrono::steady_clock::time_point(burst));
  }
}

}  // namespace

BackgroundLoad::BackgroundLoad(Contention contention, const std::vector<int>& processors)
    : contention_(std::move(contention)) {
  if (contention_.changes().empty()) return;
  const Time start = SteadyClock().now();
  for (const int processor : processors) {
    threads_.emplace_back(
        [this, start](const std::stop_token& stop) { take_turns(stop, contention_, start); });
    const pthread_t thread = threads_.back().native_handle();
    (void)pin_thread(thread, {processor});
    const sched_param priority{.sched_priority = 1};
    has_priority_ = pthread_setschedparam(thread, SCHED_FIFO, &priority) == 0 && has_priority_;
  }
}

BackgroundLoad::~BackgroundLoad() = default;

}  // namespace concertina::control
