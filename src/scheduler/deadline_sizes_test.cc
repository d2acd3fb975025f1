#include "scheduler/deadline_sizes.h"

#include <gtest/gtest.h>

#include "scheduler/testing.h"

namespace concertina::scheduler {
namespace {

using Jobs = std::vector<Job>;
using testing::at;
using testing::expect_action;
using testing::job;
using testing::kRun;
using testing::kShed;
using testing::three_models;

TEST(SchedulingPolicy, OfAModelsJobsOneIsBegun) {
  const Jobs queue = {job(0, 0, 0, 9), job(1, 0, 1, 9, 2), job(2, 1, 1, 9)};
  EXPECT_FALSE(runnable(queue, 0));
  EXPECT_TRUE(runnable(queue, 1));
  EXPECT_TRUE(runnable(queue, 2));
}

TEST(DeadlineSizes, KeepsFullSizesWhileThereIsTime) {
  DeadlineSizes policy(three_models());
  expect_action(policy.choose(at(0, {job(0, 0, 0, 40), job(1, 1, 0, 20)})), kRun, 1, 0);
}

TEST(DeadlineSizes, LowersWhatCostsLeast) {
  DeadlineSizes policy(three_models(), {.reserve = 0});
  // 6 ms of work until 5: the second model saves 1 ms for 0.01, the first 2 ms for 0.02.
  expect_action(policy.choose(at(0, {job(0, 0, 0, 5), job(1, 1, 0, 4)})), kRun, 1, 1);
  // A reserve of 20 % leaves 4 ms: the first model has to.
  DeadlineSizes careful(three_models(), {.reserve = 0.2});
  expect_action(careful.choose(at(0, {job(0, 0, 0, 5), job(1, 1, 0, 9)})), kRun, 0, 0);
  expect_action(careful.choose(at(0, {job(0, 0, 0, 4.5), job(1, 1, 0, 9)})), kRun, 0, 1);
}

TEST(DeadlineSizes, ShedsOnlyWhoCannotBeInTimeAlone) {
  DeadlineSizes policy(three_models());
  expect_action(policy.choose(at(1, {job(0, 0, 0, 2), job(1, 2, 0, 1.9)})), kShed, 1);
  // Both alone, not together: one waits for better times.
  expect_action(policy.choose(at(1, {job(0, 0, 0, 2), job(1, 2, 0, 2)})), kRun, 0, 2);
  DeadlineSizes full(three_models(), {.lowers_sizes = false});
  expect_action(full.choose(at(1, {job(0, 0, 0, 2), job(1, 2, 0, 2)})), kShed, 0);
}

TEST(DeadlineSizes, InterruptsOnlyToSaveADeadline) {
  DeadlineSizes policy(three_models(), {.reserve = 0});
  expect_action(policy.choose(at(1, {job(0, 0, 0, 40, 1), job(1, 2, 1, 5)}, 0)), kRun, 0);
  expect_action(policy.choose(at(1, {job(0, 0, 0, 40, 1), job(1, 2, 1, 4.9)}, 0)), kRun, 1);
  // Nothing has come: it stays with what it runs.
  Situation calm = at(2, {}, 0);
  const Jobs queue = {job(0, 0, 0, 40, 2), job(1, 2, 1, 4)};
  calm.queue = queue;
  calm.changed = false;
  expect_action(policy.choose(calm), kRun, 0);
}

TEST(DeadlineSizes, BeginsAnewSmallerWhereThatPays) {
  DeadlineSizes policy(three_models(), {.reserve = 0});
  // 3 ms left of the full size, 2.5 until the deadline: the middle size from its start takes 2.
  expect_action(policy.choose(at(1, {job(0, 0, 0, 3.5, 1)}, 0)), kRun, 0, 1);
  // Nearly done, going on is fastest.
  expect_action(policy.choose(at(3.2, {job(0, 0, 0, 4.5, 3)}, 0)), kRun, 0, 0);
  // A smaller size that is begun is never begun anew at a larger one.
  expect_action(policy.choose(at(1, {job(0, 0, 0, 90, 1, 1)}, 0)), kRun, 0, 1);
}

TEST(DeadlineSizes, FinishesTheRunThatHoldsTheSession) {
  DeadlineSizes policy(three_models());
  expect_action(policy.choose(at(1, {job(0, 0, 0, 60, 1), job(1, 0, 1, 9), job(2, 1, 1, 50)}, -1)), kRun, 0,
                0);
}

TEST(DeadlineSizes, RunsSmallerWhenTheMachineIsSlowerThanItWas) {
  DeadlineSizes policy(three_models(), {.reserve = 0});
  const Jobs queue = {job(0, 0, 0, 5)};
  expect_action(policy.choose(at(0, queue)), kRun, 0, 0);
  for (int i = 0; i < 100; ++i) policy.observe({.model = 0, .predicted = from_ms(1), .took = from_ms(2)});
  expect_action(policy.choose(at(0, queue)), kRun, 0, 1);
}

}  // namespace
}  // namespace concertina::scheduler
