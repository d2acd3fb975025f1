#include "simulation/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concertina::simulation {
namespace {

using namespace std::chrono_literals;
using ::testing::DoubleEq;
using ::testing::ElementsAre;

const std::vector<double> kAccuracies = {0.9, 0.8, 0.5};

Outcome answer(Time arrival, Time end, Time deadline, int subnet) {
  return {
      .arrival = arrival, .deadline = deadline, .start = (arrival + end) / 2, .end = end, .subnet = subnet};
}

Outcome shed(Time arrival) {
  return {.arrival = arrival, .deadline = arrival + 1s};
}

TEST(Metrics, OfAStream) {
  const std::vector<Outcome> outcomes = {
      answer(0s, 1s, 1s, 0),        // on time, to the nanosecond
      answer(1s, 2s, 2s - 1ns, 0),  // late
      shed(2s),
      answer(3s, 4s, 5s, 2),  // on time
      answer(4s, 10s, 11s, 1),
  };
  const Metrics metrics = measure(outcomes, kAccuracies);
  EXPECT_EQ(metrics.requests, 5);
  EXPECT_EQ(metrics.answered, 4);
  EXPECT_EQ(metrics.on_time, 3);
  EXPECT_EQ(metrics.shed, 1);
  EXPECT_DOUBLE_EQ(metrics.on_time_rate, 0.6);
  EXPECT_DOUBLE_EQ(metrics.accuracy, (0.9 + 0.5 + 0.8) / 3);
  EXPECT_DOUBLE_EQ(metrics.yield, (0.9 + 0.5 + 0.8) / 5);
  EXPECT_DOUBLE_EQ(metrics.yield, metrics.on_time_rate * metrics.accuracy);
  EXPECT_DOUBLE_EQ(metrics.miss_rate, 0.25);
  EXPECT_THAT(metrics.shares, ElementsAre(DoubleEq(0.5), DoubleEq(0.25), DoubleEq(0.25)));
  EXPECT_DOUBLE_EQ(metrics.switches_per_second, 0.2);  // 0 to 2 and 2 to 1, in 10 s
}

TEST(Metrics, QuantilesAreOfAnswersFromTheirArrival) {
  std::vector<Outcome> outcomes = {shed(0s)};
  for (int i = 0; i <= 1000; ++i) outcomes.push_back(answer(1s * i, 1s * i + 1ms * (1000 - i), 2s * i, 0));
  const Metrics metrics = measure(outcomes, kAccuracies);
  EXPECT_DOUBLE_EQ(metrics.p50_ms, 500);
  EXPECT_DOUBLE_EQ(metrics.p99_ms, 990);
  EXPECT_DOUBLE_EQ(metrics.p999_ms, 999);
}

TEST(Metrics, AShedRequestDoesNotSwitch) {
  const std::vector<Outcome> outcomes = {answer(0s, 1s, 1s, 1), shed(1s), answer(2s, 4s, 4s, 1)};
  EXPECT_EQ(measure(outcomes, kAccuracies).switches_per_second, 0);
}

TEST(Metrics, OfNothingAreZero) {
  const Metrics none = measure({}, kAccuracies);
  EXPECT_EQ(none.requests, 0);
  EXPECT_EQ(none.yield, 0);
  const std::vector<Outcome> outcomes = {shed(0s), shed(1s)};
  const Metrics all_shed = measure(outcomes, kAccuracies);
  EXPECT_EQ(all_shed.shed, 2);
  EXPECT_EQ(all_shed.on_time_rate, 0);
  EXPECT_EQ(all_shed.accuracy, 0);
  EXPECT_EQ(all_shed.miss_rate, 0);
  EXPECT_EQ(all_shed.p99_ms, 0);
  EXPECT_EQ(all_shed.switches_per_second, 0);
  EXPECT_THAT(all_shed.shares, ElementsAre(0, 0, 0));
}

}  // namespace
}  // namespace concertina::simulation
