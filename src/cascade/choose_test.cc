#include "cascade/choose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "cascade/replay.h"
#include "cascade/testing.h"

namespace concertina::cascade {
namespace {

using ::testing::HasSubstr;

constexpr int kFolds = 5;

double accuracy_of(const Replay& seen) {
  return std::accumulate(seen.correct.begin(), seen.correct.end(), 0.0) /
         static_cast<double>(seen.correct.size());
}

Replay on_new_images(const Cascade& cascade) {
  const LabelledLogits data = testing::slow_and_fast(20'000, 99);
  std::vector<int> rows(data.labels.size());
  std::iota(rows.begin(), rows.end(), 0);
  return replay(data, rows, cascade.stages, cascade.measure);
}

TEST(ChooseCascade, KeepsItsPromiseOnNewImages) {
  ThreadPool threads(2);
  const LabelledLogits data = testing::slow_and_fast(2000, 5);
  for (const double tolerance : {0.0, 0.02, 0.1}) {
    const auto choice = choose_cascade(data, {.tolerance = tolerance}, {}, kFolds, threads);
    ASSERT_TRUE(choice) << choice.error().message;
    const CascadePromise& promise = choice->cascade.promise;
    EXPECT_EQ(promise.images, 2000);
    EXPECT_EQ(promise.reference_ms, 4);
    EXPECT_GE(promise.accuracy + 1e-9, promise.reference_accuracy - tolerance);
    const Replay seen = on_new_images(choice->cascade);
    EXPECT_NEAR(accuracy_of(seen), promise.accuracy, 0.03);
    EXPECT_NEAR(seen.ms, promise.ms, 0.15);
    EXPECT_LT(seen.ms, 3.8);
    EXPECT_EQ(std::accumulate(choice->stopped.begin(), choice->stopped.end(), 0), 2000);
  }
}

TEST(ChooseCascade, WhatIsAskedForMoreCostsMore) {
  ThreadPool threads(1);
  const LabelledLogits data = testing::slow_and_fast(1000, 6);
  const auto loose = choose_cascade(data, {.tolerance = 0.1}, {}, kFolds, threads);
  const auto strict = choose_cascade(data, {.tolerance = 0.1, .spare_errors = 3}, {}, kFolds, threads);
  ASSERT_TRUE(loose && strict);
  EXPECT_GT(strict->cascade.promise.ms, loose->cascade.promise.ms);
  EXPECT_GT(strict->margin, loose->margin);
}

TEST(ChooseCascade, OfATimeTakesAtMostThat) {
  ThreadPool threads(1);
  const LabelledLogits data = testing::slow_and_fast(1000, 7);
  double last = 0;
  for (const double ms : {1.0, 2.0, 3.0}) {
    const auto choice = choose_cascade(data, {.ms = ms}, {}, kFolds, threads);
    ASSERT_TRUE(choice);
    EXPECT_NEAR(choice->cascade.promise.ms, ms, 0.2);
    EXPECT_GT(choice->cascade.promise.accuracy, last);
    last = choice->cascade.promise.accuracy;
  }
  EXPECT_THAT(choose_cascade(data, {.ms = 0.5}, {}, kFolds, threads).error().message,
              HasSubstr("the fastest takes 1.0000 ms"));
}

TEST(ChooseCascade, RefusesWhatCannotBe) {
  ThreadPool threads(1);
  const LabelledLogits data = testing::slow_and_fast(500, 8);
  EXPECT_THAT(choose_cascade(data, {.accuracy = 0.999}, {}, kFolds, threads).error().message,
              HasSubstr("no cascade is that accurate"));
  EXPECT_THAT(choose_cascade(data, {.reference = 5}, {}, kFolds, threads).error().message,
              HasSubstr("there is no sub-net 5"));
}

// Where the fast sub-net guesses, nothing is as accurate as the slow one but itself.
TEST(ChooseCascade, LeavesTheReferenceWhereNothingIsAsGood) {
  ThreadPool threads(1);
  LabelledLogits data = testing::slow_and_fast(1000, 9);
  const CounterRandom random(1);
  for (std::size_t i = 0; i < data.columns[1].logits.size(); ++i) {
    data.columns[1].logits[i] = static_cast<float>(testing::normal(random, i));
  }
  const auto choice = choose_cascade(data, {}, {.blend = false}, kFolds, threads);
  ASSERT_TRUE(choice);
  EXPECT_NEAR(choice->cascade.promise.ms, 4, 0.1);
  EXPECT_GE(choice->cascade.promise.accuracy, choice->cascade.promise.reference_accuracy);
}

}  // namespace
}  // namespace concertina::cascade
