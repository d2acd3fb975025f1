#include "base/prefetch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <vector>

namespace concertina {
namespace {

/// Goes on by a nanosecond each time it is asked. Takes are only timed when they wait.
class CountingClock final : public Clock {
 public:
  Time now() const override {
    asked_.release();
    return Time(++now_);
  }
  /// Returns when the clock has been asked once more than this has returned.
  void wait_until_asked() const { asked_.acquire(); }

 private:
  mutable std::atomic<int> now_{0};
  mutable std::counting_semaphore<> asked_{0};
};

constexpr std::int64_t kEndless = std::numeric_limits<std::int64_t>::max();

TEST(Prefetch, GivesAllItemsInTheirOrder) {
  const SteadyClock clock;
  for (const std::size_t ahead : {1, 2, 5}) {
    Prefetch<std::unique_ptr<std::int64_t>> items(
        1000, ahead, [](std::int64_t i) { return std::make_unique<std::int64_t>(i); }, clock);
    for (std::int64_t i = 0; i < 1000; ++i) ASSERT_EQ(*items.take(), i);
  }
}

TEST(Prefetch, MakesOnlySoManyAhead) {
  const SteadyClock clock;
  std::atomic<std::int64_t> made{0};
  std::counting_semaphore<> began{0};
  {
    Prefetch<std::int64_t> items(
        kEndless, 2,
        [&](std::int64_t i) {
          ++made;
          began.release();
          return i;
        },
        clock);
    for (std::int64_t i = 0; i < 100; ++i) {
      EXPECT_LE(made, i + 2);
      EXPECT_EQ(items.take(), i);
    }
    for (int i = 0; i < 102; ++i) began.acquire();  // it uses all the room that there is
  }
  EXPECT_EQ(made, 102);
}

// The thread may be making an item, be waiting for room, or have ended.
TEST(Prefetch, CanBeLeftAtAnyTime) {
  const SteadyClock clock;
  for (const std::int64_t count : {std::int64_t{0}, std::int64_t{1}, std::int64_t{3}, kEndless}) {
    for (std::int64_t taken = 0; taken <= std::min<std::int64_t>(count, 5); ++taken) {
      for (int round = 0; round < 20; ++round) {
        Prefetch<std::vector<int>> items(
            count, 2, [](std::int64_t i) { return std::vector<int>(100, static_cast<int>(i)); }, clock);
        for (std::int64_t i = 0; i < taken; ++i) ASSERT_EQ(items.take()[99], i);
      }
    }
  }
}

TEST(Prefetch, ThrowsWhatAMakingHasThrownAfterTheItemsBefore) {
  const SteadyClock clock;
  Prefetch<std::int64_t> items(
      kEndless, 2,
      [](std::int64_t i) {
        if (i == 3) throw std::runtime_error("no more");
        return i;
      },
      clock);
  for (std::int64_t i = 0; i < 3; ++i) EXPECT_EQ(items.take(), i);
  for (int again = 0; again < 2; ++again) EXPECT_THROW(items.take(), std::runtime_error);
}

// Each item is made only when the taker has begun to wait for it.
TEST(Prefetch, CountsTheTimeThatItWaited) {
  const CountingClock clock;
  Prefetch<std::int64_t> items(
      5, 2,
      [&](std::int64_t i) {
        clock.wait_until_asked();
        if (i > 0) clock.wait_until_asked();  // once more at the end of the wait before
        return i;
      },
      clock);
  for (std::int64_t i = 0; i < 5; ++i) {
    EXPECT_EQ(items.take(), i);
    EXPECT_EQ(items.waited(), Time(i + 1));
  }
}

// That an item is being made says that the one before is ready.
TEST(Prefetch, DoesNotWaitForWhatIsReady) {
  const CountingClock clock;
  std::counting_semaphore<> began{0};
  Prefetch<std::int64_t> items(
      kEndless, 2,
      [&](std::int64_t i) {
        began.release();
        return i;
      },
      clock);
  began.acquire();
  for (std::int64_t i = 0; i < 100; ++i) {
    began.acquire();
    EXPECT_EQ(items.take(), i);
  }
  EXPECT_EQ(items.waited(), Time(0));
}

}  // namespace
}  // namespace concertina
