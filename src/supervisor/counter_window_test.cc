#include "supervisor/counter_window.h"

#include <gtest/gtest.h>

#include <limits>

namespace concertina::supervisor {
namespace {

using namespace std::chrono_literals;

TEST(CounterWindow, ComparesWithTheSampleAWindowAgo) {
  CounterWindow window(1s);
  EXPECT_FALSE(window.update(Time(0), 100));
  EXPECT_DOUBLE_EQ(window.update(250ms, 110)->per_second(), 40);
  for (const std::uint64_t counter : {120, 130, 140}) window.update(250ms, counter);
  // The first interval leaves the window.
  const auto growth = window.update(250ms, 190);
  EXPECT_DOUBLE_EQ(growth->amount, 80);
  EXPECT_EQ(growth->over, 1s);
}

TEST(CounterWindow, KeepsOneIntervalThatIsLongerThanTheWindow) {
  CounterWindow window(1s);
  window.update(Time(0), 0);
  EXPECT_DOUBLE_EQ(window.update(3s, 30)->per_second(), 10);
  EXPECT_DOUBLE_EQ(window.update(2s, 30)->per_second(), 0);
}

TEST(CounterWindow, StartsAnewWhereTheCounterDoes) {
  CounterWindow window(1s);
  window.update(Time(0), 1000);
  window.update(1s, 1010);
  EXPECT_FALSE(window.update(1s, 5));
  EXPECT_DOUBLE_EQ(window.update(1s, 9)->per_second(), 4);
}

TEST(CounterWindow, GoesRoundWithItsRange) {
  CounterWindow window(1s);
  window.update(Time(0), 990, 1000);
  EXPECT_DOUBLE_EQ(window.update(1s, 20, 1000)->per_second(), 30);
  // Above its range it is no such counter.
  window.update(1s, 2000, 1000);
  EXPECT_FALSE(window.update(1s, 0, 1000));
}

TEST(CounterWindow, ForgetsWhatWasBeforeAGap) {
  CounterWindow window(1s);
  window.update(Time(0), 0);
  window.update(1s, 10);
  EXPECT_FALSE(window.update(1s, std::nullopt));
  EXPECT_FALSE(window.update(1s, 5000));
  EXPECT_DOUBLE_EQ(window.update(1s, 5001)->per_second(), 1);
  window.restart();
  EXPECT_FALSE(window.update(1s, 9000));
}

TEST(CounterWindow, TwoSamplesOfOneMomentAreOne) {
  CounterWindow window(1s);
  window.update(Time(0), 0);
  EXPECT_FALSE(window.update(Time(0), 50));
  EXPECT_DOUBLE_EQ(window.update(1s, 60)->per_second(), 60);
  EXPECT_DOUBLE_EQ(window.update(Time(0), 1'000'000)->per_second(), 60);
}

TEST(CounterWindow, AFloodOfSamplesKeepsItSmall) {
  CounterWindow window(1s);
  std::optional<Growth> growth;
  for (std::uint64_t i = 0; i < 1000; ++i) growth = window.update(Time(1), i);
  EXPECT_EQ(growth->over, Time(64));
  EXPECT_DOUBLE_EQ(growth->amount, 64);
}

TEST(CounterWindow, TheHighestNumbers) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  CounterWindow window(1s);
  window.update(Time(0), 0, kMost);
  EXPECT_DOUBLE_EQ(window.update(1s, kMost, kMost)->per_second(), static_cast<double>(kMost));
  EXPECT_DOUBLE_EQ(window.update(1s, 7, kMost)->per_second(), 7);
}

}  // namespace
}  // namespace concertina::supervisor
