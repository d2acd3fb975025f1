#include "simulation/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/machine.h"
#include "control/subnet_profiles.h"
#include "control/testing.h"
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

namespace {

using ::testing::ElementsAre;
using testing::four_sizes;
using ::testing::HasSubstr;

/// Runs of exactly the table's median.
class ExactServer final : public Server {
 public:
  explicit ExactServer(std::vector<control::SubnetProfile> sizes) : sizes_(std::move(sizes)) {
    clock_.set(from_ms(5000));
  }
  const Clock& clock() const override { return clock_; }
  void wait_until(Time time) override { clock_.set(std::max(time, clock_.now())); }
  Status run(int subnet, std::size_t request) override {
    runs.push_back(request);
    if (request == fails_at) return Error{"no power"};
    clock_.advance(from_ms(sizes_[subnet].times.median()));
    return {};
  }

  std::vector<std::size_t> runs;
  std::size_t fails_at = 1000;

 private:
  std::vector<control::SubnetProfile> sizes_;
  ManualClock clock_;
};

/// Notes what it is told, and answers with the second sub-net (4 ms).
class NotingPolicy final : public control::Policy {
 public:
  std::string name() const override { return "noting"; }
  control::Decision decide(const control::Request& request) override {
    waiting.push_back(request.waiting.size());
    slack_ms.push_back(to_ms(request.deadline - request.now));
    return {.subnet = 1};
  }
  void observe(const control::Observation& observation) override {
    took_ms.push_back(to_ms(observation.took));
  }

  std::vector<std::size_t> waiting;
  std::vector<double> slack_ms, took_ms;
};

std::vector<Time> at_ms(const std::vector<double>& times) {
  std::vector<Time> result;
  for (const double time : times) result.push_back(from_ms(time));
  return result;
}

TEST(Serve, AnswersInOrderAndTellsOfTheQueue) {
  ExactServer server(four_sizes());
  NotingPolicy policy;
  const auto outcomes = serve(at_ms({0, 1, 2, 3, 50}), {.deadline = from_ms(14)}, policy, server);
  ASSERT_TRUE(outcomes);
  EXPECT_THAT(policy.waiting, ElementsAre(0, 2, 1, 0, 0));
  EXPECT_THAT(policy.slack_ms, ElementsAre(14, 11, 8, 5, 14));
  EXPECT_THAT(policy.took_ms, ElementsAre(4, 4, 4, 4, 4));
  const Metrics metrics = measure(*outcomes, accuracies(four_sizes()));
  EXPECT_EQ(metrics.on_time, 5);
  EXPECT_EQ((*outcomes)[3].start, from_ms(12));
  EXPECT_EQ((*outcomes)[3].end, from_ms(16));
  EXPECT_EQ((*outcomes)[4].start, from_ms(50));
}

TEST(Serve, DoesNotRunWhatIsLateAlready) {
  ExactServer server(four_sizes());
  NotingPolicy policy;
  const auto outcomes = serve(at_ms({0, 0, 0, 0, 0}), {.deadline = from_ms(10)}, policy, server);
  ASSERT_TRUE(outcomes);
  EXPECT_THAT(server.runs, ElementsAre(0, 1, 2));
  const Metrics metrics = measure(*outcomes, accuracies(four_sizes()));
  EXPECT_EQ(metrics.on_time, 2);
  EXPECT_EQ(metrics.shed, 2);
}

TEST(Serve, StopsWhenARunFails) {
  ExactServer server(four_sizes());
  server.fails_at = 1;
  NotingPolicy policy;
  EXPECT_FALSE(serve(at_ms({0, 1, 2}), {.deadline = from_ms(100)}, policy, server));
  EXPECT_THAT(server.runs, ElementsAre(0, 1));
}

TEST(SimulatedServer, GivesEveryPolicyTheSameLuck) {
  const std::vector<control::SubnetProfile> sizes = four_sizes();
  const Contention contention;
  SimulatedServer one(sizes, contention, 3), other(sizes, contention, 3), third(sizes, contention, 4);
  ASSERT_TRUE(one.run(0, 17));
  ASSERT_TRUE(other.run(0, 17));
  ASSERT_TRUE(third.run(0, 17));
  EXPECT_EQ(one.clock().now(), other.clock().now());
  EXPECT_NE(one.clock().now(), third.clock().now());
  EXPECT_EQ(one.end_of(2, 5, from_ms(100)), other.end_of(2, 5, from_ms(100)));
}

TEST(SimulatedServer, IsAsSlowAsTheContentionSays) {
  const std::vector<control::SubnetProfile> sizes = four_sizes();
  const Contention slow({{.at = Time(0), .factor = 3}});
  const SimulatedServer quiet(sizes, Contention(), 3), busy(sizes, slow, 3);
  EXPECT_NEAR(to_ms(busy.end_of(1, 9, Time(0))), 3 * to_ms(quiet.end_of(1, 9, Time(0))), 1e-4);
}

class ScenarioTest : public ::testing::Test {
 protected:
  void expect_refused(const ScenarioOptions& options, const char* part) {
    const auto made = make_scenario(options, sizes_);
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().message, HasSubstr(part));
  }

  const std::vector<control::SubnetProfile> sizes_ = four_sizes();
};

TEST_F(ScenarioTest, HasTheWantedLoad) {
  const auto scenario = make_scenario({.requests = 4000, .load = 0.5}, sizes_);
  ASSERT_TRUE(scenario);
  EXPECT_EQ(scenario->arrivals.size(), 4000u);
  EXPECT_NEAR(to_ms(scenario->arrivals.back()), 4000 * 8 / 0.5, 4000);
  EXPECT_EQ(scenario->serving.deadline, from_ms(40));
}

TEST_F(ScenarioTest, RefusesWhatMakesNoSense) {
  expect_refused({.arrivals = "poison"}, "poisson");
  expect_refused({.contention = "stop"}, "step");
  expect_refused({.load = 0}, "load");
  expect_refused({.load = std::nan("")}, "load");
  expect_refused({.deadline_ms = -1}, "deadline");
  expect_refused({.quantile = 1}, "quantile");
  const auto scenario = make_scenario({.requests = 10}, sizes_);
  for (const char* policy : {"fixed:4", "fixed:-1", "fixed:", "concertino"})
    EXPECT_FALSE(simulate(*scenario, policy, sizes_, 1)) << policy;
}

// With bursts and a machine that becomes slower ours yields more than any fixed size and any other policy,
// but for hairs where one of them is near the optimum too, and nearly what could be had.
TEST_F(ScenarioTest, OursYieldsMost) {
  for (const char* arrivals : {"poisson", "gamma:4", "bursts"}) {
    for (const char* contention : {"none", "step:1.8"}) {
      const auto scenario = make_scenario(
          {.arrivals = arrivals, .contention = contention, .requests = 2000, .load = 0.9}, sizes_);
      ASSERT_TRUE(scenario) << scenario.error().message;
      const double best = optimum(*scenario, sizes_, 1).yield;
      const double ours = simulate(*scenario, "concertina", sizes_, 1)->yield;
      for (const std::string& policy : policy_names(sizes_.size())) {
        const double theirs = simulate(*scenario, policy, sizes_, 1)->yield;
        EXPECT_LE(theirs, ours + 5e-4) << arrivals << " " << contention << " " << policy;
        EXPECT_LE(theirs, best * (1 + 1e-9)) << arrivals << " " << contention << " " << policy;
      }
      EXPECT_GT(ours, 0.93 * best) << arrivals << " " << contention;
    }
  }
}

// The goal: one in a hundred late is asked for, and 0.5 to 1.5 are measured, where deadlines are tight.
TEST_F(ScenarioTest, TheMeasuredShareOfLateAnswersIsTheWantedOne) {
  const auto scenario = make_scenario(
      {.arrivals = "poisson", .requests = 50'000, .load = 0.4, .deadline_ms = 8.4, .quantile = 0.99}, sizes_);
  const auto metrics = simulate(*scenario, "concertina", sizes_, 1);
  EXPECT_NEAR(1 - metrics->on_time_rate, 0.01, 0.005);
}

}  // namespace

}  // namespace concertina::simulation
