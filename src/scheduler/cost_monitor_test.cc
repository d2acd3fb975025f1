#include "scheduler/cost_monitor.h"

#include <gtest/gtest.h>

#include "scheduler/testing.h"

namespace concertina::scheduler {
namespace {

using testing::three_models;

TEST(CostMonitor, FollowsButIsNotCarriedAwayByAStall) {
  CostMonitor monitor(three_models());
  EXPECT_EQ(monitor.corrected(0, from_ms(2)), from_ms(2));
  monitor.observe({.model = 0, .predicted = from_ms(1), .took = from_ms(1000)});
  EXPECT_LT(monitor.factor(0), 1.11);
  EXPECT_EQ(monitor.factor(1), 1);
  for (int i = 0; i < 1000; ++i) monitor.observe({.model = 0, .predicted = from_ms(1), .took = from_ms(1.5)});
  EXPECT_NEAR(monitor.factor(0), 1.5, 1e-9);
  monitor.observe({.model = 0, .predicted = Time(0), .took = from_ms(1)});
  EXPECT_NEAR(monitor.factor(0), 1.5, 1e-9);
}

}  // namespace
}  // namespace concertina::scheduler
