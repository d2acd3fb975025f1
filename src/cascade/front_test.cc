#include "cascade/front.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "cascade/replay.h"
#include "cascade/testing.h"

namespace concertina::cascade {
namespace {

using ::testing::SizeIs;

std::vector<int> first_rows(int count) {
  std::vector<int> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

int sum(const std::vector<std::uint8_t>& correct) {
  return std::accumulate(correct.begin(), correct.end(), 0);
}

TEST(Front, GetsBetterAsItTakesLonger) {
  const LabelledLogits data = testing::slow_and_fast(400, 1);
  const auto front = cascade_front(data, first_rows(400), {});
  ASSERT_GT(front.size(), 10U);
  for (std::size_t i = 1; i < front.size(); ++i) {
    EXPECT_GT(front[i].correct, front[i - 1].correct);
    EXPECT_GT(front[i].ms, front[i - 1].ms);
  }
  EXPECT_THAT(front.front().stages, SizeIs(1));
  EXPECT_EQ(front.front().stages[0].look.subnet, 1);
}

TEST(Front, PointsAreWhatAReplayDoes) {
  const LabelledLogits data = testing::slow_and_fast(300, 2);
  const auto rows = first_rows(250);  // the rest must not matter
  for (const bool blend : {false, true}) {
    for (const FrontPoint& point : cascade_front(data, rows, {.blend = blend})) {
      const Replay seen = replay(data, rows, point.stages, ConfidenceMeasure::probability);
      EXPECT_EQ(sum(seen.correct), point.correct);
      EXPECT_NEAR(seen.ms, point.ms, 1e-9);
    }
  }
}

// With two columns the only threshold is swept exactly, so trying all of them finds nothing better.
TEST(Front, NoThresholdIsBetter) {
  const LabelledLogits data = testing::slow_and_fast(200, 3);
  const auto rows = first_rows(200);
  const auto front = cascade_front(data, rows, {});
  const Blend fast = fit_blend(data.columns[1].logits, {}, data.labels, rows);
  const Blend slow = [&] {
    std::vector<float> scores(data.columns[1].logits.size());
    blend_into(fast, data.columns[1].logits, scores);
    return fit_blend(data.columns[0].logits, scores, data.labels, rows);
  }();
  for (int step = 0; step <= 1000; ++step) {
    const std::vector<CascadeStage> stages = {
        {.look = {.subnet = 1}, .blend = fast, .threshold = step / 1000.0},
        {.look = {.subnet = 0}, .blend = slow}};
    const Replay seen = replay(data, rows, stages, ConfidenceMeasure::probability);
    const auto as_good = std::find_if(front.begin(), front.end(), [&](const FrontPoint& point) {
      return point.correct >= sum(seen.correct);
    });
    ASSERT_NE(as_good, front.end());
    EXPECT_LE(as_good->ms, seen.ms + 1e-9) << step;
  }
}

TEST(Front, TakesNoMoreStagesAndMirrorsThanItMay) {
  LabelledLogits data = testing::slow_and_fast(200, 4);
  LabelledLogits::Column mirrored = testing::slow_and_fast(200, 4).columns[0];
  mirrored.ms /= 2;
  mirrored.look.mirrored = true;
  data.columns.insert(data.columns.begin() + 1, mirrored);
  const auto any_mirrored = [](const FrontPoint& point) {
    return std::any_of(point.stages.begin(), point.stages.end(),
                       [](const CascadeStage& stage) { return stage.look.mirrored; });
  };
  int used = 0;
  for (const FrontPoint& point : cascade_front(data, first_rows(200), {.max_stages = 2})) {
    EXPECT_LE(point.stages.size(), 2U);
    EXPECT_FALSE(point.stages[0].look.mirrored);
    used += any_mirrored(point) ? 1 : 0;
  }
  EXPECT_GT(used, 0);
  for (const FrontPoint& point : cascade_front(data, first_rows(200), {.mirror = false, .max_stages = 1})) {
    EXPECT_THAT(point.stages, SizeIs(1));
    EXPECT_FALSE(any_mirrored(point));
  }
}

}  // namespace
}  // namespace concertina::cascade
