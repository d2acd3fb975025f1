#include "control/switch_limiter.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "testing/allocation_count.h"

namespace concertina::control {
namespace {

constexpr Time kSecond = std::chrono::seconds(1);

/// Three sub-nets of 8, 4 and 2 ms.
std::vector<SubnetProfile> three_sizes() {
  std::vector<SubnetProfile> sizes;
  for (const double ms : {8.0, 4.0, 2.0})
    sizes.push_back(
        {.accuracy = 0.5 + ms / 20, .times = latency::TimeQuantiles({ms, ms, ms, ms, ms, ms, ms, ms})});
  return sizes;
}

/// Decides what it is told.
class Told final : public Policy {
 public:
  std::string name() const override { return "told"; }
  Decision decide(const Request&) override { return next; }
  void observe(const Observation&) override { ++observed; }

  Decision next;
  int observed = 0;
};

class Limited : public ::testing::Test {
 protected:
  Limited() {
    auto told = std::make_unique<Told>();
    told_ = told.get();
    limiter_ = std::make_unique<SwitchLimiter>(std::move(told), three_sizes(),
                                               SwitchLimit{.per_second = 1, .at_once = 1});
  }

  Decision decide(int wanted, double min_accuracy = 0, Time in = from_ms(20)) {
    // On this machine everything takes half as long again.
    const double ms = wanted == Decision::kShed ? 0 : 1.5 * three_sizes()[wanted].times.median();
    told_->next = {.subnet = wanted, .predicted = from_ms(ms), .fits = from_ms(ms) <= in};
    return limiter_->decide({.now = now_, .deadline = now_ + in, .min_accuracy = min_accuracy});
  }
  void ran(int subnet) { limiter_->observe({.subnet = subnet, .started = now_, .took = from_ms(1)}); }

  /// Decides and runs; the sub-net that ran.
  int run(int wanted, double min_accuracy = 0, Time in = from_ms(20)) {
    const int subnet = decide(wanted, min_accuracy, in).subnet;
    ran(subnet);
    return subnet;
  }

  Time now_ = 100 * kSecond;
  Told* told_ = nullptr;
  std::unique_ptr<SwitchLimiter> limiter_;
};

TEST_F(Limited, UpWaitsForAToken) {
  EXPECT_EQ(run(2), 2);
  EXPECT_EQ(run(1), 1);  // the token that was saved up
  EXPECT_EQ(run(0), 1);
  now_ += kSecond / 2;
  EXPECT_EQ(run(0), 1);
  now_ += kSecond / 2;
  EXPECT_EQ(run(0), 0);
}

TEST_F(Limited, DownDoesNotWaitButIsCounted) {
  EXPECT_EQ(run(0), 0);
  EXPECT_EQ(run(1), 1);
  EXPECT_EQ(run(2), 2);
  now_ += kSecond;
  EXPECT_EQ(run(1), 2);
  now_ += kSecond;
  EXPECT_EQ(run(1), 1);
}

TEST_F(Limited, StayingHasAPredictionOfItsOwn) {
  run(1);
  run(2);
  const Decision stay = decide(0);
  EXPECT_EQ(stay.subnet, 2);
  EXPECT_EQ(stay.predicted, from_ms(3));
  EXPECT_TRUE(stay.fits);
}

TEST_F(Limited, UpAtOnceWhereTheLastOneIsNotAccurateEnough) {
  run(1);
  run(2);
  EXPECT_EQ(run(1, 0.65), 1);
}

TEST_F(Limited, WhatThePolicyWantsWhereNothingIsInTime) {
  run(1);
  run(2);
  const Decision late = decide(1, 0, from_ms(2));
  EXPECT_EQ(late.subnet, 1);
  EXPECT_FALSE(late.fits);
  EXPECT_EQ(decide(1, 0, from_ms(-5)).subnet, 1);
}

TEST_F(Limited, SheddingIsNoSwitch) {
  run(1);
  EXPECT_EQ(decide(Decision::kShed).subnet, Decision::kShed);
  EXPECT_EQ(run(0), 0);
}

TEST_F(Limited, OnlyWhatRanCounts) {
  run(1);
  EXPECT_EQ(decide(0).subnet, 0);
  ran(2);  // somebody else held it down
  EXPECT_EQ(decide(0).subnet, 2);
}

TEST_F(Limited, AClockThatJumpsBackGivesNothing) {
  run(1);
  run(2);
  for (int i = 0; i < 20; ++i) {
    now_ -= 10 * kSecond;
    ASSERT_EQ(run(1), 2);
  }
  now_ += kSecond;
  EXPECT_EQ(run(1), 1);
}

TEST_F(Limited, AFarJumpSavesUpNoMoreThanItMay) {
  run(2);
  now_ += 1'000'000 * kSecond;
  EXPECT_EQ(run(1), 1);
  EXPECT_EQ(run(0), 1);
}

TEST_F(Limited, TellsThePolicyWhatRan) {
  run(2);
  run(1);
  EXPECT_EQ(told_->observed, 2);
  EXPECT_EQ(limiter_->name(), "told, 1 switches a second");
}

// Whatever the policy wants: between any two moments no more switches than were promised.
TEST_F(Limited, KeepsItsPromise) {
  const CounterRandom random(7);
  std::vector<Time> switches;
  int last = run(2);
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    now_ += Time(static_cast<Time::rep>(random.below(60'000'000, 2 * i)));
    const int subnet = run(static_cast<int>(random.below(3, 2 * i + 1)));
    if (subnet != last) switches.push_back(now_);
    last = subnet;
  }
  ASSERT_GT(switches.size(), 400u);  // in ten minutes
  for (std::size_t from = 0; from < switches.size(); ++from) {
    for (std::size_t to = from; to < switches.size(); ++to) {
      const double seconds = to_ms(switches[to] - switches[from]) / 1000;
      ASSERT_LE(static_cast<double>(to - from + 1), 1 + seconds + 2 + 1e-6) << from << " .. " << to;
    }
  }
}

TEST_F(Limited, DoesNotAllocate) {
  if (testing::allocation_count() < 0) GTEST_SKIP() << "a sanitizer owns operator new";
  run(1);
  const std::int64_t before = testing::allocation_count();
  for (int i = 0; i < 30; ++i) {
    now_ += kSecond / 3;
    const Decision decision = limiter_->decide({.now = now_, .deadline = now_ + kSecond});
    limiter_->observe({.subnet = decision.subnet, .started = now_, .took = from_ms(1)});
    told_->next.subnet = i % 3;
  }
  EXPECT_EQ(testing::allocation_count(), before);
}

}  // namespace
}  // namespace concertina::control
