#include "control/slow_down.h"

#include <gtest/gtest.h>

#include "control/testing.h"

namespace concertina::control {
namespace {

class SlowDownTest : public ::testing::Test {
 protected:
  /// Runs a millisecond apart, with a noise of 3 %.
  void run(int subnet, double slow, double noise = 0.03) {
    now_ += from_ms(1);
    slow_down_.observe(subnet, slow * std::exp(noise * testing::normal(random_, counter_++)), now_);
  }

  SlowDown slow_down_{4};
  CounterRandom random_{7};
  std::uint64_t counter_ = 0;
  Time now_{0};
};

TEST_F(SlowDownTest, StartsAtTheQuietMachine) {
  EXPECT_DOUBLE_EQ(slow_down_.factor(0), 1);
  for (int i = 0; i < 1000; ++i) run(i % 4, 1);
  for (int s = 0; s < 4; ++s) EXPECT_NEAR(slow_down_.factor(s), 1, 0.02);
}

TEST_F(SlowDownTest, OneRunCorrectsAllSubnets) {
  for (int i = 0; i < 20; ++i) run(0, 1.1);
  for (int s = 0; s < 4; ++s) EXPECT_NEAR(slow_down_.factor(s), 1.1, 0.04) << s;
}

// The goal: a step from 1x to 1.8x settles within 5 requests, without oscillating.
TEST_F(SlowDownTest, SettlesWithinFiveRunsOfAStepAndStays) {
  for (const double step : {1.8, 1.3, 3.0, 1 / 1.8}) {
    slow_down_ = SlowDown(4);
    for (int i = 0; i < 500; ++i) run(i % 4, 1);
    for (int i = 0; i < 5; ++i) run(i % 4, step);
    for (int i = 0; i < 500; ++i) {
      EXPECT_NEAR(slow_down_.factor(i % 4) / step, 1, 0.1) << "run " << i << " after a step to " << step;
      run(i % 4, step);
    }
  }
}

TEST_F(SlowDownTest, IsNotMovedByInterruptionsOfSomeRuns) {
  int moved = 0;
  for (int i = 0; i < 2000; ++i) {
    const bool interrupted = random_.uniform(1'000'000 + static_cast<std::uint64_t>(i)) < 0.05;
    run(0, interrupted ? 2 + 10 * random_.uniform(2'000'000 + static_cast<std::uint64_t>(i)) : 1);
    moved += slow_down_.factor(0) > 1.2;
  }
  EXPECT_LT(moved, 10);  // two that are alike, one after the other, are believed
}

TEST_F(SlowDownTest, LearnsWhatIsOnesOwn) {
  for (int i = 0; i < 4000; ++i) run(i % 2, i % 2 == 0 ? 1.05 : 0.95);
  EXPECT_NEAR(slow_down_.factor(0), 1.05, 0.02);
  EXPECT_NEAR(slow_down_.factor(1), 0.95, 0.02);
}

TEST_F(SlowDownTest, SurvivesClocksThatJump) {
  for (int i = 0; i < 100; ++i) run(0, 1);
  now_ -= std::chrono::hours(24 * 365 * 50);
  run(0, 1);
  now_ += std::chrono::hours(24 * 365 * 90);
  run(0, 1);
  for (const double odd : {1e-300, 1e300, 1e300, 1e300, 1e300, 1e-300, 1e-300}) run(0, odd);
  EXPECT_TRUE(std::isfinite(slow_down_.factor(0)));
  for (int i = 0; i < 10; ++i) run(0, 1);
  EXPECT_NEAR(slow_down_.factor(0), 1, 0.1);
}

}  // namespace
}  // namespace concertina::control
