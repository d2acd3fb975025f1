#include "train/schedule.h"

#include <gtest/gtest.h>

namespace concertina::train {
namespace {

TEST(Schedule, OneCycleWarmsUpAndEndsNearNothing) {
  EXPECT_NEAR(schedule_factor(Schedule::one_cycle, 0, 1000), 1.0 / 25, 1e-12);
  EXPECT_NEAR(schedule_factor(Schedule::one_cycle, 300, 1000), 1.0, 1e-12);
  EXPECT_NEAR(schedule_factor(Schedule::one_cycle, 650, 1000), 0.5, 1e-3);
  EXPECT_LT(schedule_factor(Schedule::one_cycle, 999, 1000), 2e-4);
}

TEST(Schedule, LinearAndCosineFallFromOne) {
  for (const Schedule schedule : {Schedule::linear, Schedule::cosine}) {
    EXPECT_EQ(schedule_factor(schedule, 0, 100), 1.0);
    EXPECT_NEAR(schedule_factor(schedule, 50, 100), 0.5, 1e-12);
    for (int step = 1; step < 100; ++step) {
      EXPECT_LT(schedule_factor(schedule, step, 100), schedule_factor(schedule, step - 1, 100));
    }
  }
}

}  // namespace
}  // namespace concertina::train
