#include "cascade/calibration.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "cascade/replay.h"
#include "cascade/testing.h"

namespace concertina::cascade {
namespace {

std::vector<int> rows_of(const LabelledLogits& data) {
  std::vector<int> rows(data.labels.size());
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

/// Images whose label is drawn from softmax(2 logits): the right temperature is 1/2.
LabelledLogits drawn(int images) {
  const CounterRandom random(3);
  LabelledLogits data{.classes = 4, .labels = {}, .columns = {{.look = {}, .ms = 1, .logits = {}}}};
  for (int i = 0; i < images; ++i) {
    double weights[4], sum = 0;
    for (std::uint64_t j = 0; j < 4; ++j) {
      const double logit = 4 * random.uniform(8 * static_cast<std::uint64_t>(i) + j) - 2;
      data.columns[0].logits.push_back(static_cast<float>(logit));
      sum += weights[j] = std::exp(2 * logit);
    }
    double at = sum * random.uniform(8 * static_cast<std::uint64_t>(i) + 7);
    int label = 0;
    while (label < 3 && at >= weights[label]) at -= weights[label++];
    data.labels.push_back(label);
  }
  return data;
}

TEST(Calibration, FindsTheTemperatureThatLabelsWereDrawnWith) {
  const LabelledLogits data = drawn(20'000);
  const Blend blend = fit_blend(data.columns[0].logits, {}, data.labels, rows_of(data));
  EXPECT_NEAR(blend.own, 2, 0.1);
  EXPECT_EQ(blend.before, 0);
  const auto error = [&](const Blend& by) {
    const ChainStage stage = run_stage(data, data.columns[0], {}, by, ConfidenceMeasure::probability);
    return expected_calibration_error(stage.confidence, stage.correct);
  };
  EXPECT_LT(error(blend), 0.02);
  EXPECT_GT(error({}), 5 * error(blend));
}

// Half of the logits in each of two inputs: they have to be added.
TEST(Calibration, FindsWhatEachInputIsWorth) {
  const LabelledLogits data = drawn(20'000);
  const CounterRandom random(4);
  std::vector<float> first = data.columns[0].logits, second = first;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const auto noise = static_cast<float>(testing::normal(random, i));
    first[i] = first[i] / 2 + noise;
    second[i] = second[i] / 2 - noise;
  }
  const Blend blend = fit_blend(first, second, data.labels, rows_of(data));
  EXPECT_NEAR(blend.own, 2, 0.1);
  EXPECT_NEAR(blend.before, 2, 0.1);
}

TEST(Calibration, OfInputsThatTellNothingStaysFinite) {
  const std::vector<float> equal(30, 1.0F);
  const std::vector<std::int32_t> labels(10, 1);
  std::vector<int> rows(10);
  std::iota(rows.begin(), rows.end(), 0);
  const Blend blend = fit_blend(equal, equal, labels, rows);
  EXPECT_TRUE(std::isfinite(blend.own) && std::isfinite(blend.before));
  // Every answer right, with room to spare: the likelihood has no maximum.
  std::vector<float> perfect(30, 0.0F);
  for (std::size_t i = 0; i < 10; ++i) perfect[3 * i + 1] = 5;
  EXPECT_TRUE(std::isfinite(fit_blend(perfect, {}, labels, rows).own));
}

TEST(Calibration, ErrorIsTheDistanceOfConfidenceAndAccuracy) {
  const double confidences[] = {0.9, 0.9, 0.9, 0.9, 0.5, 0.5};
  const std::uint8_t correct[] = {1, 1, 0, 0, 1, 0};
  EXPECT_NEAR(expected_calibration_error(confidences, correct, 10), 4.0 / 6 * 0.4, 1e-12);
}

TEST(Separation, IsTheShareOfPairsInOrder) {
  const double confidences[] = {0.1, 0.4, 0.4, 0.8};
  const std::uint8_t correct[] = {0, 0, 1, 1};
  EXPECT_DOUBLE_EQ(separation(confidences, correct), 3.5 / 4);
  const std::uint8_t all[] = {1, 1, 1, 1};
  EXPECT_EQ(separation(confidences, all), 0.5);
}

}  // namespace
}  // namespace concertina::cascade
