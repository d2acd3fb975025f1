#include "supervisor/counter_window.h"

#include <gtest/gtest.h>

#include <limits>

namespace concertina::supervisor {
namespace {

constexpr Time kSecond = std::chrono::seconds(1);

TEST(CounterWindow, ComparesWithTheSampleAWindowAgo) {
  CounterWindow window(kSecond);
  EXPECT_FALSE(window.update(Time(0), 100));
  EXPECT_DOUBLE_EQ(window.update(kSecond / 4, 110)->per_second(), 40);
  for (const std::uint64_t counter : {120, 130, 140}) window.update(kSecond / 4, counter);
  // The first interval leaves the window.
  const auto growth = window.update(kSecond / 4, 190);
  EXPECT_DOUBLE_EQ(growth->amount, 80);
  EXPECT_EQ(growth->over, kSecond);
}

TEST(CounterWindow, KeepsOneIntervalThatIsLongerThanTheWindow) {
  CounterWindow window(kSecond);
  window.update(Time(0), 0);
  EXPECT_DOUBLE_EQ(window.update(3 * kSecond, 30)->per_second(), 10);
  EXPECT_DOUBLE_EQ(window.update(2 * kSecond, 30)->per_second(), 0);
}

TEST(CounterWindow, StartsAnewWhereTheCounterDoes) {
  CounterWindow window(kSecond);
  window.update(Time(0), 1000);
  window.update(kSecond, 1010);
  EXPECT_FALSE(window.update(kSecond, 5));
  EXPECT_DOUBLE_EQ(window.update(kSecond, 9)->per_second(), 4);
}

TEST(CounterWindow, GoesRoundWithItsRange) {
  CounterWindow window(kSecond);
  window.update(Time(0), 990, 1000);
  EXPECT_DOUBLE_EQ(window.update(kSecond, 20, 1000)->per_second(), 30);
  // Above its range it is no such counter.
  window.update(kSecond, 2000, 1000);
  EXPECT_FALSE(window.update(kSecond, 0, 1000));
}

TEST(CounterWindow, ForgetsWhatWasBeforeAGap) {
  CounterWindow window(kSecond);
  window.update(Time(0), 0);
  window.update(kSecond, 10);
  EXPECT_FALSE(window.update(kSecond, std::nullopt));
  EXPECT_FALSE(window.update(kSecond, 5000));
  EXPECT_DOUBLE_EQ(window.update(kSecond, 5001)->per_second(), 1);
  window.restart();
  EXPECT_FALSE(window.update(kSecond, 9000));
}

TEST(CounterWindow, TwoSamplesOfOneMomentAreOne) {
  CounterWindow window(kSecond);
  window.update(Time(0), 0);
  EXPECT_FALSE(window.update(Time(0), 50));
  EXPECT_DOUBLE_EQ(window.update(kSecond, 60)->per_second(), 60);
  EXPECT_DOUBLE_EQ(window.update(Time(0), 1'000'000)->per_second(), 60);
}

TEST(CounterWindow, AFloodOfSamplesKeepsItSmall) {
  CounterWindow window(kSecond);
  std::optional<Growth> growth;
  for (std::uint64_t i = 0; i < 1000; ++i) growth = window.update(Time(1), i);
  EXPECT_EQ(growth->over, Time(64));
  EXPECT_DOUBLE_EQ(growth->amount, 64);
}

TEST(CounterWindow, TheHighestNumbers) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  CounterWindow window(kSecond);
  window.update(Time(0), 0, kMost);
  EXPECT_DOUBLE_EQ(window.update(kSecond, kMost, kMost)->per_second(), static_cast<double>(kMost));
  EXPECT_DOUBLE_EQ(window.update(kSecond, 7, kMost)->per_second(), 7);
}

}  // namespace
}  // namespace concertina::supervisor
