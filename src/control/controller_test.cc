#include "control/controller.h"

#include <gtest/gtest.h>

#include <limits>

#include "control/testing.h"

namespace concertina::control {
namespace {

using testing::four_sizes;

class ControllerTest : public ::testing::Test {
 protected:
  Decision decide(double slack_ms, std::span<const Time> waiting = {}, double min_accuracy = 0) {
    return controller_.decide({.now = now_,
                               .arrival = now_,
                               .deadline = now_ + from_ms(slack_ms),
                               .min_accuracy = min_accuracy,
                               .waiting = waiting});
  }

  /// A request and the run that answers it, `slow` times slower than on the quiet machine.
  int answer(double slack_ms, double slow) {
    const Decision decision = decide(slack_ms);
    if (decision.subnet == Decision::kShed) return decision.subnet;
    const double noise = std::exp(0.02 * testing::normal(random_, counter_++));
    const Time took = from_ms(sizes_[decision.subnet].times.median() * slow * noise);
    controller_.observe({.subnet = decision.subnet,
                         .arrival = now_,
                         .started = now_,
                         .took = took,
                         .deadline = now_ + from_ms(slack_ms)});
    now_ += took;
    return decision.subnet;
  }

  const std::vector<SubnetProfile> sizes_ = four_sizes();
  Controller controller_{sizes_};
  CounterRandom random_{11};
  std::uint64_t counter_ = 0;
  Time now_ = from_ms(1000);
};

TEST_F(ControllerTest, TakesTheMostAccurateThatFits) {
  EXPECT_EQ(decide(20).subnet, 0);
  EXPECT_EQ(decide(6).subnet, 1);
  EXPECT_EQ(decide(3).subnet, 2);
  EXPECT_EQ(decide(1.5).subnet, 3);
  EXPECT_TRUE(decide(1.5).fits);
  EXPECT_NEAR(to_ms(decide(6).predicted), 4.2, 0.3);
}

// Also where the share of late answers has made decisions bolder or more careful, and where it did not
// choose.
TEST_F(ControllerTest, FitsIfWhatItPredictsMeetsTheDeadline) {
  int fitting = 0;
  constexpr int kRequests = 20'000;
  for (std::uint64_t i = 0; i < kRequests; ++i) {
    const Time slack = from_ms(0.9 + 8 * random_.uniform(1'000'000 + i));
    Request request = {.now = now_, .arrival = now_, .deadline = now_ + slack};
    Decision decision =
        i % 5 == 0 ? controller_.decide_on(static_cast<int>(i % 4), request) : controller_.decide(request);
    if (decision.subnet == Decision::kShed) decision = controller_.decide_on(3, request);
    ASSERT_EQ(decision.fits, decision.predicted <= slack) << i;
    fitting += decision.fits ? 1 : 0;
    const double noise = std::exp(0.08 * testing::normal(random_, 3'000'000 + i));
    const Time took = from_ms(sizes_[decision.subnet].times.median() * noise);
    controller_.observe({.subnet = decision.subnet,
                         .arrival = now_,
                         .started = now_,
                         .took = took,
                         .deadline = now_ + slack});
    now_ += took;
  }
  EXPECT_GT(fitting, kRequests / 2);
  EXPECT_LT(fitting, kRequests);
}

TEST_F(ControllerTest, ShedsWhatCannotBeInTime) {
  EXPECT_EQ(decide(0.5).subnet, Decision::kShed);
  EXPECT_EQ(decide(-7).subnet, Decision::kShed);
  EXPECT_EQ(decide(3, {}, 0.85).subnet, Decision::kShed);  // 0.88 takes 4 ms
  EXPECT_EQ(decide(3, {}, 0.95).subnet, Decision::kShed);
}

TEST_F(ControllerTest, ShedsNothingWhileTheMachineIsNotKnown) {
  for (int i = 0; i < 50; ++i) answer(20, 1);
  for (int i = 0; i < 4; ++i) answer(20, 30);  // four in a row are believed
  EXPECT_GT(controller_.slow_down().common(), 20);
  EXPECT_EQ(decide(20).subnet, 3);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(answer(20, 1), 3);  // so that it finds out
  for (int i = 0; i < 5; ++i) answer(20, 1);
  EXPECT_EQ(decide(20).subnet, 0);
}

// All that wait, and half as many more, are to be answered in 20 ms.
TEST_F(ControllerTest, DrainsTheQueue) {
  const std::vector<Time> waiting(15, now_ + from_ms(20));
  const auto with = [&](std::size_t count) { return decide(20, std::span(waiting).first(count)).subnet; };
  EXPECT_EQ(with(0), 0);
  EXPECT_EQ(with(1), 0);  // 2.5 turns of 8 ms
  EXPECT_EQ(with(2), 1);  // 4 turns
  EXPECT_EQ(with(3), 2);  // 5.5 turns
  EXPECT_EQ(with(6), 2);  // 10 turns of 2 ms
  EXPECT_EQ(with(7), 3);
  EXPECT_EQ(with(15), 3);  // 23.5 turns: not even the fastest
}

TEST_F(ControllerTest, AlwaysServesAQueueThatCannotBeDrained) {
  const std::vector<Time> waiting(60, now_ + from_ms(20));
  EXPECT_EQ(decide(20, waiting).subnet, 3);
}

TEST_F(ControllerTest, GivesUpFirstWhatWouldPerhapsBeLateIfThereIsTooMuch) {
  for (std::uint64_t i = 0; i < 3000; ++i) answer(20, std::exp(0.1 * testing::normal(random_, 500'000 + i)));
  const std::vector<Time> waiting(60, now_ + from_ms(20));
  EXPECT_EQ(decide(1, {}).subnet, 3);
  EXPECT_EQ(decide(1, waiting).subnet, Decision::kShed);
  EXPECT_EQ(decide(1.5, waiting).subnet, 3);
}

TEST_F(ControllerTest, FollowsTheMachine) {
  for (int i = 0; i < 50; ++i) EXPECT_EQ(answer(10, 1), 0);
  for (int i = 0; i < 5; ++i) answer(10, 1.8);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(answer(10, 1.8), 1) << i;
  for (int i = 0; i < 5; ++i) answer(10, 1);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(answer(10, 1), 0) << i;
}

TEST_F(ControllerTest, ObeysTheSupervisor) {
  controller_.allow_from(2);
  EXPECT_EQ(decide(20).subnet, 2);
  controller_.allow_from(0);
  EXPECT_EQ(decide(20).subnet, 0);
}

TEST_F(ControllerTest, TakesWhatIsWorthMostIfNothingIsSafe) {
  for (int i = 0; i < 3000; ++i) {  // every twentieth ms an interruption that none survives
    const bool interrupted = random_.uniform(static_cast<std::uint64_t>(i)) < 1 - std::exp(-0.05 * 4);
    controller_.observe({.subnet = 1,
                         .arrival = now_,
                         .started = now_,
                         .took = from_ms(interrupted ? 104 : 4),
                         .deadline = now_ + from_ms(20)});
    now_ += from_ms(10);
  }
  const Decision decision = decide(20);
  EXPECT_FALSE(decision.fits);
  EXPECT_NE(decision.subnet, 0);  // a third of its runs would be late
}

// Those that the user chose, or that ran although they had been shed.
TEST_F(ControllerTest, LateRunsThatItHasNotDecidedMakeItNoMoreCareful) {
  for (int i = 0; i < 2000; ++i) answer(20, 1);
  double slack = 8;  // just enough for the largest
  while (decide(slack).subnet != 0) slack += 0.01;
  answer(20, 1);
  for (int i = 0; i < 50; ++i) {
    controller_.observe({.subnet = 0, .started = now_, .took = from_ms(8), .deadline = now_ - from_ms(1)});
    now_ += from_ms(8);
  }
  EXPECT_EQ(decide(slack + 0.02).subnet, 0);
}

TEST_F(ControllerTest, SurvivesDamagedObservations) {
  for (const double took : {0.0, -5.0, 1e9}) {
    controller_.observe({.subnet = 0, .started = now_, .took = from_ms(took), .deadline = now_});
  }
  EXPECT_EQ(decide(20).subnet, 0);
}

// The deadline is where the second sub-net is late now and then.
TEST_F(ControllerTest, TheMeasuredShareOfLateAnswersIsTheWantedOne) {
  int late = 0, answers = 0;
  constexpr int kRequests = 50'000;
  for (std::uint64_t i = 0; i < kRequests; ++i) {
    const double slack = 5.2 + 1.3 * random_.uniform(1'000'000 + i);
    const Decision decision = decide(slack);
    ASSERT_NE(decision.subnet, Decision::kShed);
    const double factor = std::exp(0.08 * testing::normal(random_, 3'000'000 + i));
    const Time took = from_ms(1.3 * factor * sizes_[decision.subnet].times.median());
    const Time deadline = now_ + from_ms(slack);
    controller_.observe(
        {.subnet = decision.subnet, .arrival = now_, .started = now_, .took = took, .deadline = deadline});
    late += took > deadline - now_;
    answers += 1;
    now_ += from_ms(20);
  }
  EXPECT_NEAR(late / static_cast<double>(answers), 0.01, 0.005);
}

}  // namespace
}  // namespace concertina::control
