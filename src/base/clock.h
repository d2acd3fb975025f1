#pragma once

#include <chrono>

namespace concertina {

/// A moment, since an epoch of the clock's own; and the time between two of them.
using Time = std::chrono::nanoseconds;

inline double to_ms(Time time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

inline double to_seconds(Time time) {
  return std::chrono::duration<double>(time).count();
}

/// Precondition: below 292 years.
inline Time from_ms(double milliseconds) {
  return std::chrono::duration_cast<Time>(std::chrono::duration<double, std::milli>(milliseconds));
}

/// What everything in control/ is told the time by, so that tests and the simulator can make it.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
};

/// The machine's monotonic clock.
class SteadyClock final : public Clock {
 public:
  Time now() const override { return std::chrono::steady_clock::now().time_since_epoch(); }
};

/// A clock that its owner moves.
class ManualClock final : public Clock {
 public:
  Time now() const override { return now_; }
  void set(Time now) { now_ = now; }
  void advance(Time by) { now_ += by; }

 private:
  Time now_{0};
};

}  // namespace concertina
