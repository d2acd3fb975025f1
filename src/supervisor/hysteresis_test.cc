#include "supervisor/hysteresis.h"

#include <gtest/gtest.h>

#include <limits>

namespace concertina::supervisor {
namespace {

using namespace std::chrono_literals;

/// Too high from 10 on, well from 5 down, for two seconds.
Hysteresis make(double floor = 0.01) {
  return Hysteresis({.enter = 10, .leave = 5, .dwell = 2s, .share = 0.8, .deeper = 0.5, .deepen_after = 3s},
                    floor, 10s);
}

/// `seconds` samples of one value.
void hold(Hysteresis& verdict, std::optional<double> value, int seconds) {
  for (int i = 0; i < seconds; ++i) verdict.update(1s, value);
}

TEST(Hysteresis, DownAtOnce) {
  Hysteresis verdict = make();
  verdict.update(1s, 9.9);
  EXPECT_FALSE(verdict.active());
  EXPECT_EQ(verdict.share(), 1);
  verdict.update(Time(0), 10);
  EXPECT_TRUE(verdict.active());
  EXPECT_EQ(verdict.share(), 0.8);
}

TEST(Hysteresis, UpAfterItHasBeenWellForTheDwellTime) {
  Hysteresis verdict = make();
  hold(verdict, 10, 1);
  hold(verdict, 5, 2);
  EXPECT_TRUE(verdict.active());
  EXPECT_EQ(verdict.well_for(), 1s);
  hold(verdict, 5, 1);
  EXPECT_FALSE(verdict.active());
  EXPECT_FALSE(verdict.well_for());
}

TEST(Hysteresis, BetweenTheThresholdsNothingChanges) {
  Hysteresis verdict = make();
  hold(verdict, 7, 100);
  EXPECT_FALSE(verdict.active());
  hold(verdict, 10, 1);
  hold(verdict, 7, 100);
  EXPECT_EQ(verdict.share(), 0.8);
}

TEST(Hysteresis, ABreakStartsTheDwellTimeAnew) {
  Hysteresis verdict = make();
  hold(verdict, 10, 1);
  for (int i = 0; i < 50; ++i) {
    hold(verdict, 4, 2);
    hold(verdict, 6, 1);
    ASSERT_TRUE(verdict.active());
  }
}

TEST(Hysteresis, FurtherDownWhileItStaysTooHighAndBackStepByStep) {
  Hysteresis verdict = make();
  hold(verdict, 12, 4);
  EXPECT_DOUBLE_EQ(verdict.share(), 0.4);
  hold(verdict, 12, 3);
  EXPECT_DOUBLE_EQ(verdict.share(), 0.2);
  hold(verdict, 0, 3);
  EXPECT_DOUBLE_EQ(verdict.share(), 0.4);
  hold(verdict, 0, 2);
  EXPECT_DOUBLE_EQ(verdict.share(), 0.8);
  hold(verdict, 0, 2);
  EXPECT_FALSE(verdict.active());
}

TEST(Hysteresis, ADipStartsTheWaitForAFurtherStepAnew) {
  Hysteresis verdict = make();
  for (int i = 0; i < 50; ++i) {
    hold(verdict, 12, 3);
    hold(verdict, 8, 1);
    ASSERT_EQ(verdict.share(), 0.8);
  }
}

// Each time it is active for the dwell time, well for another second, and too high again.
TEST(Hysteresis, AStepBackThatHasToBeUndoneIsTriedLessOften) {
  Hysteresis verdict = make();
  for (const int dwell : {2, 4, 8, 16, 32, 32}) {
    hold(verdict, 10, 1);
    hold(verdict, 0, dwell);
    ASSERT_TRUE(verdict.active()) << dwell;
    hold(verdict, 0, 1);
    ASSERT_FALSE(verdict.active()) << dwell;
  }
  hold(verdict, 0, 20);
  hold(verdict, 10, 1);
  EXPECT_EQ(verdict.dwell(), 2s);
}

TEST(Hysteresis, NoFurtherThanTheSmallestSubnet) {
  Hysteresis verdict = make(0.3);
  hold(verdict, 12, 1000);
  EXPECT_DOUBLE_EQ(verdict.share(), 0.2);
  hold(verdict, 0, 7);
  EXPECT_FALSE(verdict.active());
}

TEST(Hysteresis, AMissingSignalChangesNothingUntilItIsForgotten) {
  Hysteresis verdict = make();
  hold(verdict, std::nullopt, 100);
  EXPECT_FALSE(verdict.active());
  hold(verdict, 10, 1);
  hold(verdict, std::nullopt, 9);
  EXPECT_TRUE(verdict.active());
  EXPECT_FALSE(verdict.well_for());
  hold(verdict, std::nullopt, 3);
  EXPECT_FALSE(verdict.active());
}

TEST(Hysteresis, WhatIsNoNumberChangesNothing) {
  Hysteresis verdict = make();
  hold(verdict, 10, 1);
  hold(verdict, std::numeric_limits<double>::quiet_NaN(), 100);
  EXPECT_EQ(verdict.share(), 0.8);
}

}  // namespace
}  // namespace concertina::supervisor
