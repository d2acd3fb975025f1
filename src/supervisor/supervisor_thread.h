#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "supervisor/signals.h"
#include "supervisor/supervisor.h"

namespace concertina::supervisor {

/// Supervises a machine beside the program's work: a thread of its own reads the signals and tells the
/// advice, now and then once every period, and sleeps in between. Typically:
///
///   SupervisorThread thread([reader = SignalReader()] { return reader.read(); }, Supervisor(costs), {},
///                           [&](const Advice& advice) { session.allow_from(advice.largest); });
class SupervisorThread {
 public:
  using Read = std::function<Signals()>;
  using Tell = std::function<void(const Advice&)>;

  struct Options {
    Time period = from_ms(200);    ///< between two samples, above 0; 100 .. 500 ms is sensible
    const Clock* clock = nullptr;  ///< that gives samples their time, must outlive the thread;
                                   ///< null: the machine's
  };

  /// Starts at once. Both functions are called from the thread and may throw std::bad_alloc only. A sample
  /// that there is no memory for is left out. Throws std::system_error if the system refuses a thread.
  SupervisorThread(Read read, Supervisor supervisor, const Options& options, Tell tell);

  /// Ends the sleep, and returns when a call of `tell` that is under way has ended. Afterwards there is none.
  ~SupervisorThread() = default;

 private:
  void run(const std::stop_token& stop, const Options& options);
  bool sleep(const std::stop_token& stop, Time period);

  Read read_;
  Supervisor supervisor_;
  Tell tell_;
  std::mutex mutex_;
  std::condition_variable_any woken_;
  std::jthread thread_;  // last: it ends before what it uses
};

}  // namespace concertina::supervisor
