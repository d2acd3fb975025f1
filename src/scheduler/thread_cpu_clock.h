#pragma once

#include <ctime>

#include "base/clock.h"

namespace concertina::scheduler {

/// Processor time of the thread that reads it. It stands still while others have the processor, so on a
/// machine that is shared it tells what a schedule does, not what the neighbours do.
class ThreadCpuClock final : public Clock {
 public:
  Time now() const override {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  }
};

}  // namespace concertina::scheduler
