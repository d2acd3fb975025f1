#include "supervisor/supervisor_thread.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

#include "testing/allocation_count.h"

namespace concertina::supervisor {
namespace {

Signals busy() {
  return {.pressure = Pressure{.avg10 = 0.9}};
}

TEST(SupervisorThread, TellsEverySample) {
  std::atomic<int> reads = 0, tells = 0;
  std::latch three(3);
  {
    const SupervisorThread thread(
        [&] {
          ++reads;
          return busy();
        },
        Supervisor({4, 3, 2, 1}), {.period = from_ms(1)},
        [&](const Advice& advice) {
          EXPECT_EQ(advice.state, MachineState::busy);
          EXPECT_EQ(advice.largest, 1);
          if (++tells <= 3) three.count_down();
        });
    three.wait();
  }
  EXPECT_GE(tells, 3);
  EXPECT_EQ(reads, tells);
}

// With a period of a day, this test would not end if the thread slept on.
TEST(SupervisorThread, EndsWhileItSleeps) {
  std::atomic<int> tells = 0;
  std::latch first(1);
  {
    const SupervisorThread thread(busy, Supervisor({4, 3, 2, 1}), {.period = from_ms(86'400'000)},
                                  [&](const Advice&) {
                                    ++tells;
                                    first.count_down();
                                  });
    first.wait();
  }
  EXPECT_EQ(tells, 1);
}

TEST(SupervisorThread, EndsBeforeItHasSlept) {
  for (int i = 0; i < 100; ++i) {
    const SupervisorThread thread(busy, Supervisor({4, 3, 2, 1}), {.period = from_ms(86'400'000)},
                                  [](const Advice&) {});
  }
}

class CountingClock final : public Clock {
 public:
  Time now() const override { return from_ms(1000) * ++calls; }
  mutable std::atomic<int> calls = 0;
};

TEST(SupervisorThread, SamplesHaveTheTimeOfItsClock) {
  const CountingClock clock;
  std::atomic<std::uint64_t> waited = 0;
  std::atomic<double> pressure = -1;
  std::latch done(2);
  {
    const SupervisorThread thread(
        [&] { return Signals{.pressure = Pressure{.waited_us = waited += 500'000}}; },
        Supervisor({4, 3, 2, 1}), {.period = from_ms(1), .clock = &clock},
        [&](const Advice& advice) {
          if (clock.calls == 2) pressure = *advice.measured.pressure;
          if (clock.calls <= 2) done.count_down();
        });
    done.wait();
  }
  EXPECT_DOUBLE_EQ(pressure, 0.5);
}

// Of two samples' requests for memory, each fails once. The thread leaves that sample out and goes on.
TEST(SupervisorThread, GoesOnWhereMemoryRunsOut) {
  if (testing::allocation_count() < 0) GTEST_SKIP() << "a sanitizer owns operator new";
  std::atomic<int> tells = 0;
  const SupervisorThread thread(
      [reader = SignalReader(CONCERTINA_SOURCE_DIR "/src/supervisor/recorded/laptop")] {
        return reader.read();
      },
      Supervisor({4, 3, 2, 1}), {.period = from_ms(0.1)}, [&](const Advice&) { ++tells; });
  const auto wait_for_more = [&](int more) {
    for (const int wanted = tells + more; tells < wanted;) std::this_thread::yield();
  };
  wait_for_more(1);
  const std::int64_t before = testing::allocation_count();
  wait_for_more(2);
  const std::int64_t requests = testing::allocation_count() - before;
  EXPECT_GT(requests, 100);
  for (std::int64_t i = 0; i < requests; ++i) {
    testing::fail_allocation(i);
    while (!testing::allocation_failed()) std::this_thread::yield();
    wait_for_more(1);
  }
}

}  // namespace
}  // namespace concertina::supervisor
