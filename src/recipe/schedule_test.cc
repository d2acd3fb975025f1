#include "recipe/schedule.h"

#include <gtest/gtest.h>

namespace concertina::recipe {
namespace {

TEST(Schedule, OneCycleWarmsUpAndEndsNearNothing) {
  EXPECT_NEAR(schedule_factor(Schedule::one_cycle, 0.0), 1.0 / 25, 1e-12);
  EXPECT_NEAR(schedule_factor(Schedule::one_cycle, 0.3), 1.0, 1e-12);
  EXPECT_NEAR(schedule_factor(Schedule::one_cycle, 0.65), 0.5, 1e-3);
  EXPECT_LT(schedule_factor(Schedule::one_cycle, 0.999), 2e-4);
}

TEST(Schedule, LinearAndCosineFallFromOne) {
  for (const Schedule schedule : {Schedule::linear, Schedule::cosine}) {
    EXPECT_EQ(schedule_factor(schedule, 0.0), 1.0);
    EXPECT_NEAR(schedule_factor(schedule, 0.5), 0.5, 1e-12);
    for (int step = 1; step < 100; ++step) {
      EXPECT_LT(schedule_factor(schedule, step / 100.0), schedule_factor(schedule, (step - 1) / 100.0));
    }
  }
}

}  // namespace
}  // namespace concertina::recipe
