#include "supervisor/supervisor_thread.h"

#include <new>
#include <utility>

namespace concertina::supervisor {

SupervisorThread::SupervisorThread(Read read, Supervisor supervisor, const Options& options, Tell tell)
    : read_(std::move(read)),
      supervisor_(std::move(supervisor)),
      tell_(std::move(tell)),
      thread_([this, options](const std::stop_token& stop) { run(stop, options); }) {}

void SupervisorThread::run(const std::stop_token& stop, const Options& options) {
  const SteadyClock steady;
  const Clock& clock = options.clock ? *options.clock : steady;
  do {
    try {
      const Signals signals = read_();
      tell_(supervisor_.advise(clock.now(), signals));
    } catch (const std::bad_alloc&) {
      supervisor_.restart();
    }
  } while (!sleep(stop, options.period));
}

/// True if the thread is to stop.
bool SupervisorThread::sleep(const std::stop_token& stop, Time period) {
  std::unique_lock lock(mutex_);
  woken_.wait_for(lock, stop, period, [] { return false; });
  return stop.stop_requested();
}

}  // namespace concertina::supervisor
