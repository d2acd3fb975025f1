#include "simulation/scheduling/scheduling_policies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/testing.h"
#include "simulation/scheduling/baselines.h"
#include "testing/allocation_count.h"

namespace concertina::simulation {
namespace {

using Jobs = std::vector<scheduler::Job>;
using scheduler::Action;
using testing::at;
using testing::expect_action;
using ::testing::HasSubstr;
using testing::job;
using testing::kRun;
using testing::kShed;
using testing::three_models;

TEST(SchedulingPolicy, IsMadeByName) {
  for (const std::string& name : scheduling_policies()) {
    EXPECT_EQ(make_scheduling_policy(name, three_models()).value()->name(), name);
  }
  EXPECT_THAT(make_scheduling_policy("etf", three_models()).error().message,
              HasSubstr("the nearest is 'edf'"));
}

TEST(FirstCome, IsServedFirst) {
  expect_action(FirstCome().choose(at(0, {job(3, 0, 1, 90), job(4, 2, 2, 3)})), kRun, 0);
}

TEST(EarliestDeadline, RunsFirst) {
  EarliestDeadline policy(three_models());
  expect_action(policy.choose(at(3, {job(0, 0, 0, 20, 1), job(1, 2, 3, 6), job(2, 1, 3, 15)}, 0)), kRun, 1);
}

TEST(EarliestDeadline, RejectsWhoWouldBeLateOrMakeOthersLate) {
  EarliestDeadline policy(three_models());
  expect_action(policy.choose(at(0, {job(0, 0, 0, 5)})), kRun, 0);
  expect_action(policy.choose(at(1, {job(0, 0, 0, 5, 1), job(1, 1, 1, 4)}, 0)), kShed, 1);  // 0 would be late
  expect_action(policy.choose(at(1, {job(0, 0, 0, 5, 1), job(2, 1, 1, 5.5)}, 0)), kShed,
                1);                                                                        // it would be late
  expect_action(policy.choose(at(1, {job(0, 0, 0, 5, 1), job(3, 2, 1, 2)}, 0)), kRun, 1);  // both fit
}

TEST(EarliestDeadline, WhoIsLateAnywayKeepsNobodyOut) {
  EarliestDeadline policy(three_models());
  expect_action(policy.choose(at(0, {job(0, 0, 0, 5)})), kRun, 0);
  expect_action(policy.choose(at(4, {job(0, 0, 0, 5, 1), job(1, 2, 4, 4.9)})), kShed, 1);
  expect_action(policy.choose(at(4, {job(0, 0, 0, 5, 1), job(2, 2, 4, 9)})), kRun, 0);
}

TEST(ShortestRemaining, CountsWhatIsDone) {
  ShortestRemaining policy(three_models());
  expect_action(policy.choose(at(0, {job(0, 0, 0, 99), job(1, 1, 0, 99)})), kRun, 1);
  expect_action(policy.choose(at(3, {job(0, 0, 0, 99, 3), job(1, 1, 0, 99)})), kRun, 0);
}

TEST(ShortestRemaining, LearnsWhatAModelTakes) {
  ShortestRemaining policy(three_models());
  const Jobs queue = {job(0, 1, 0, 99), job(1, 2, 0, 99)};
  expect_action(policy.choose(at(0, queue)), kRun, 1);
  for (int i = 0; i < 100; ++i) policy.observe({.model = 2, .predicted = from_ms(1), .took = from_ms(3)});
  expect_action(policy.choose(at(0, queue)), kRun, 0);
}

TEST(Dysta, WeighsRemainingTimeDeadlineAndWaiting) {
  const Jobs queue = {job(0, 0, 0, 10, 2), job(1, 1, 0, 40), job(2, 2, 4, 80)};
  // Remaining 2, 2, 1; slack 4, 34, 75; waited 2, 4, 0.
  const double scores[] = {2 + 0.1 * (4 + 2.0 / 4 / 3), 2 + 0.1 * (34 + 4.0 / 2 / 3), 1 + 0.1 * 75};
  EXPECT_LT(scores[0], scores[1]);
  EXPECT_LT(scores[1], scores[2]);
  expect_action(Dysta(three_models(), 0.1).choose(at(4, queue)), kRun, 0);
  expect_action(Dysta(three_models(), 0).choose(at(4, queue)), kRun,
                2);  // then it is shortest remaining time
  // Of two alike the one that has waited less for its time goes first: waited 3 of 4, 3 of 2.
  const Jobs alike = {job(3, 1, 0, 9), job(4, 0, 0, 9, 2)};
  expect_action(Dysta(three_models(), 0.5).choose(at(3, alike)), kRun, 1);
}

TEST(SchedulingPolicy, DecidesWithoutAllocating) {
  if (testing::allocation_count() < 0) GTEST_SKIP() << "a sanitizer owns operator new";
  Jobs queue;
  for (int i = 0; i < 64; ++i) queue.push_back(job(i, i % 3, 0, 5.0 * (1 + i % 7)));
  const scheduler::Situation situation{.now = Time(0), .queue = queue};
  for (const std::string& name : scheduling_policies()) {
    const auto policy = make_scheduling_policy(name, three_models()).value();
    for (int i = 0; i < 64; ++i) policy->choose(situation);
    const std::int64_t before = testing::allocation_count();
    for (int i = 0; i < 3; ++i) {
      policy->choose(situation);
      policy->observe({.model = i, .predicted = Time(1000), .took = Time(2000)});
    }
    EXPECT_EQ(testing::allocation_count(), before) << name;
  }
}

}  // namespace
}  // namespace concertina::simulation
