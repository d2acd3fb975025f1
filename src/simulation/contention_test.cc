#include "simulation/contention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "simulation/trace.h"

namespace concertina::simulation {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

TEST(Contention, IsNoneByDefault) {
  EXPECT_EQ(Contention().factor(5s), 1);
  EXPECT_EQ(Contention().finish(5s, 3ms), 5s + 3ms);
}

TEST(Contention, HoldsFromOneChangeToTheNext) {
  const Contention contention({{10ms, 2}, {20ms, 1.5}});
  EXPECT_EQ(contention.factor(10ms - 1ns), 1);
  EXPECT_EQ(contention.factor(10ms), 2);
  EXPECT_EQ(contention.factor(20ms - 1ns), 2);
  EXPECT_EQ(contention.factor(1h), 1.5);
}

TEST(Contention, RunsWorkAcrossChanges) {
  const Contention contention({{10ms, 2}, {20ms, 1}});
  EXPECT_EQ(contention.finish(0ms, 10ms), 10ms);
  EXPECT_EQ(contention.finish(0ms, 12ms), 14ms);
  EXPECT_EQ(contention.finish(0ms, 15ms), 20ms);
  EXPECT_EQ(contention.finish(0ms, 16ms), 21ms);
  EXPECT_EQ(contention.finish(12ms, 5ms), 21ms);
  EXPECT_EQ(contention.finish(30ms, 5ms), 35ms);
}

// The reference: steps of a microsecond, each worth 1 / factor of one.
TEST(Contention, FinishIsTheIntegralOfOneOverTheFactor) {
  const Contention contention = *make_contention(TwoStateContention{1.7, 0.003, 0.002}, 200ms, 3);
  const CounterRandom random(5);
  for (std::uint64_t i = 0; i < 50; ++i) {
    const Time start = 1us * static_cast<int>(random.below(100'000, 2 * i));
    const Time work = 1us * static_cast<int>(random.below(20'000, 2 * i + 1));
    double left = to_ms(work);
    Time at = start;
    for (; left > 0; at += 1us) left -= 1e-3 / contention.factor(at);
    EXPECT_NEAR(to_ms(contention.finish(start, work)), to_ms(at), 0.02);
  }
}

TEST(Contention, FinishDecreasesWithNeitherStartNorWork) {
  const Contention contention({{100ns, 1.7}, {150ns, 1}, {151ns, 3}, {200ns, 1.1}});
  for (int work = 0; work < 80; ++work) {
    for (int start = 60; start < 220; ++start) {
      const Time end = contention.finish(Time(start), Time(work));
      EXPECT_LE(end, contention.finish(Time(start + 1), Time(work)));
      EXPECT_LE(end, contention.finish(Time(start), Time(work + 1)));
    }
  }
}

TEST(Contention, AStepIsAShareOfTheSpan) {
  const Contention stays = *make_contention(*parse_contention("step:2:0.25"), 8s, 1);
  EXPECT_EQ(stays.factor(2s - 1ns), 1);
  EXPECT_EQ(stays.factor(2s), 2);
  EXPECT_EQ(stays.factor(100s), 2);
  const Contention ends = *make_contention(*parse_contention("step:2:0.25:0.5"), 8s, 1);
  EXPECT_EQ(ends.factor(4s - 1ns), 2);
  EXPECT_EQ(ends.factor(4s), 1);
}

TEST(Contention, TwoStatesTakeTurnsOfTheirMeanLengths) {
  const TwoStateContention model{1.8, 1, 3};
  const Contention contention = *make_contention(model, from_seconds(40'000), 1);
  double seconds[2] = {}, turns[2] = {};
  const auto& changes = contention.changes();
  for (std::size_t i = 0; i + 1 < changes.size(); ++i) {
    const int slow = changes[i].factor > 1 ? 1 : 0;
    EXPECT_EQ(changes[i].factor, slow == 1 ? 1.8 : 1);
    EXPECT_NE(changes[i].factor, changes[i + 1].factor);
    seconds[slow] += to_seconds(changes[i + 1].at - changes[i].at);
    ++turns[slow];
  }
  EXPECT_NEAR(turns[0], 10'000, 400);
  EXPECT_NEAR(seconds[0] / turns[0], 3, 0.15);
  EXPECT_NEAR(seconds[1] / turns[1], 1, 0.05);
}

TEST(Contention, TwoStatesBeginInEither) {
  int slow = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed)
    slow += make_contention(TwoStateContention{1.8, 1, 3}, 1s, seed)->factor(Time(0)) > 1;
  EXPECT_NEAR(slow, 250, 60);
}

TEST(ParseContention, KnowsEveryModel) {
  EXPECT_TRUE(std::holds_alternative<NoContention>(*parse_contention("none")));
  EXPECT_EQ(std::get<StepContention>(*parse_contention("step:1.5")).factor, 1.5);
  EXPECT_EQ(std::get<TwoStateContention>(*parse_contention("two-state")).factor, 1.8);
  EXPECT_EQ(std::get<TwoStateContention>(*parse_contention("two-state:2:3:4")).slow_seconds, 3);
  EXPECT_EQ(std::get<TwoStateContention>(*parse_contention("two-state:2:3:4")).quiet_seconds, 4);
}

TEST(ParseContention, RefusesOthers) {
  EXPECT_THAT(parse_contention("twostate").error().message, HasSubstr("did you mean 'two-state'?"));
  EXPECT_THAT(parse_contention("step:0.5").error().message, HasSubstr("from 1 to"));
  EXPECT_THAT(parse_contention("step:2:0.5:0.4").error().message, HasSubstr("UNTIL"));
  EXPECT_THAT(make_contention(TwoStateContention{2, 1e-3, 1e-3}, from_seconds(1e9), 1).error().message,
              HasSubstr("too often"));
}

}  // namespace
}  // namespace concertina::simulation
