#include "simulation/policies.h"

#include <gtest/gtest.h>

#include "control/testing.h"

namespace concertina::simulation {
namespace {

using testing::four_sizes;

control::Request with_slack(double ms) {
  return {.now = from_ms(100), .arrival = from_ms(100), .deadline = from_ms(100 + ms)};
}

control::Observation run(int subnet, double took, double allowed) {
  return {.subnet = subnet,
          .arrival = from_ms(100),
          .started = from_ms(100),
          .took = from_ms(took),
          .deadline = from_ms(100 + allowed)};
}

TEST(FixedPolicy, NeverChanges) {
  FixedPolicy policy(four_sizes(), 2);
  EXPECT_EQ(policy.decide(with_slack(100)).subnet, 2);
  EXPECT_TRUE(policy.decide(with_slack(3)).fits);
  EXPECT_EQ(policy.decide(with_slack(1)).subnet, 2);
  EXPECT_FALSE(policy.decide(with_slack(1)).fits);
}

TEST(HysteresisPolicy, StepsDownNearTheDeadlineAndUpFarBelow) {
  HysteresisPolicy policy(four_sizes());
  for (int i = 0; i < 99; ++i) policy.observe(run(0, 9.5, 10));
  EXPECT_EQ(policy.decide(with_slack(10)).subnet, 0);
  policy.observe(run(0, 9.5, 10));
  EXPECT_EQ(policy.decide(with_slack(10)).subnet, 1);
  for (int i = 0; i < 100; ++i) policy.observe(run(1, 7, 10));
  EXPECT_EQ(policy.decide(with_slack(10)).subnet, 1);
  for (int i = 0; i < 100; ++i) policy.observe(run(1, 4, 10));
  EXPECT_EQ(policy.decide(with_slack(10)).subnet, 0);
}

TEST(SlackFitPolicy, TakesTheBucketOfTheSlack) {
  SlackFitPolicy policy(four_sizes());
  EXPECT_EQ(policy.decide(with_slack(100)).subnet, 0);
  EXPECT_EQ(policy.decide(with_slack(8)).subnet, 0);
  EXPECT_EQ(policy.decide(with_slack(7.9)).subnet, 1);
  EXPECT_EQ(policy.decide(with_slack(2.5)).subnet, 2);
  EXPECT_EQ(policy.decide(with_slack(0.1)).subnet, 3);
}

TEST(AlertPolicy, CorrectsAllSubnetsByOneFactor) {
  AlertPolicy policy(four_sizes());
  EXPECT_EQ(policy.decide(with_slack(100)).subnet, 0);
  for (int i = 0; i < 20; ++i) policy.observe(run(3, 3, 10));  // three times slower
  EXPECT_NEAR(to_ms(policy.decide(with_slack(100)).predicted), 24, 1);
  EXPECT_EQ(policy.decide(with_slack(16)).subnet, 1);
}

}  // namespace
}  // namespace concertina::simulation
