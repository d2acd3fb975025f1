#include "recipe/schedule.h"

#include <gtest/gtest.h>

namespace concertina::recipe {
namespace {

TEST(Schedule, WarmsUpAndFallsToNothing) {
  EXPECT_NEAR(schedule_factor(0), 1.0 / 25, 1e-12);
  EXPECT_NEAR(schedule_factor(0.1), 1, 1e-12);
  EXPECT_NEAR(schedule_factor(0.55), 0.5, 1e-12);
  EXPECT_NEAR(schedule_factor(1), 1e-4, 1e-12);
  for (int step = 1; step <= 100; ++step) {
    const double change = schedule_factor(step / 100.0) - schedule_factor((step - 1) / 100.0);
    EXPECT_EQ(change > 0, step <= 10) << step;
  }
}

}  // namespace
}  // namespace concertina::recipe
