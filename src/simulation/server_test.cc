#include "simulation/server.h"

#include <gtest/gtest.h>

#include "base/machine.h"
#include "control/subnet_profiles.h"
#include "profile/measure_subnets.h"
#include "simulation/background_load.h"
#include "simulation/policies.h"
#include "simulation/scenario.h"
#include "simulation/timed_policy.h"
#include "testing/models.h"

namespace concertina::simulation {
namespace {

class ModelServerTest : public ::testing::Test {
 protected:
  ModelServer server() {
    return {Session::make(model_, {.max_batch = 2}).value(), 2, profile::some_inputs(*model_, 6)};
  }

  const Graph graph_ = testing::resnet8();
  const std::shared_ptr<const Model> model_ =
      testing::load(testing::model_file(graph_, testing::nested_subnets(graph_, 3)));
};

TEST_F(ModelServerTest, WaitsAndRuns) {
  ModelServer one = server();
  const Time until = one.clock().now() + from_ms(2);
  one.wait_until(until);
  EXPECT_GE(one.clock().now(), until);
  one.wait_until(until - from_ms(1000));
  for (std::size_t request = 0; request < 7; ++request) EXPECT_TRUE(one.run(1, request));
  EXPECT_FALSE(one.run(3, 0));
}

TEST_F(ModelServerTest, ServesTheStreamThatTheSimulationServes) {
  const auto sizes = control::subnet_profiles(model_, {.batch = 2});
  ASSERT_TRUE(sizes) << sizes.error().message;
  const auto scenario = make_scenario({.contention = "step:1.5", .requests = 200, .load = 0.5}, *sizes);
  ASSERT_TRUE(scenario);
  const auto policy = make_policy("concertina", *sizes);
  TimedPolicy timed(**policy, 200);
  ModelServer real = server();
  const BackgroundLoad load(scenario->contention, {allowed_processors().back()});
  const auto outcomes = serve(scenario->arrivals, scenario->serving, timed, real);
  ASSERT_TRUE(outcomes) << outcomes.error().message;
  ASSERT_EQ(outcomes->size(), 200u);
  std::size_t decided = 0;
  for (const Outcome& outcome : *outcomes) {
    EXPECT_GE(outcome.start, outcome.arrival);
    EXPECT_GE(outcome.end, outcome.start);
    decided += outcome.answered();
  }
  EXPECT_GE(timed.microseconds().size(), decided);
}

TEST(BackgroundLoad, OfAQuietMachineIsNone) {
  const BackgroundLoad load(Contention(), allowed_processors());
  EXPECT_TRUE(load.has_priority());
}

}  // namespace
}  // namespace concertina::simulation
