#include "control/run_noise.h"

#include <gtest/gtest.h>

#include "control/testing.h"

namespace concertina::control {
namespace {

constexpr double kNoise = 0.03;

/// A run of `expected` ms with 3 % of noise, which interruptions of `delay` ms on average hit `rate` times a
/// ms.
double run_of(double expected, double rate, double delay, const CounterRandom& random, std::uint64_t i) {
  double took = expected * std::exp(kNoise * testing::normal(random, 10 * i));
  if (random.uniform(10 * i + 5) < 1 - std::exp(-rate * expected))
    took += -delay * std::log(1 - random.uniform(10 * i + 6));
  return took;
}

TEST(RunNoise, ForetellsWhatItHasSeen) {
  for (const double rate : {0.0, 0.01, 0.05}) {
    RunNoise noise;
    const CounterRandom random(3);
    for (std::uint64_t i = 0; i < 5000; ++i) noise.observe(1, run_of(1, rate, 4, random, i), kNoise);
    for (const double expected : {1.0, 0.3, 3.0}) {
      for (const double limit : {0.98, 1.0, 1.03, 1.1, 2.0, 6.0}) {
        int within = 0;
        for (std::uint64_t i = 0; i < 20'000; ++i)
          within += run_of(expected, rate, 4, random, 1'000'000 + i) <= limit * expected;
        EXPECT_NEAR(noise.within(expected, limit * expected), within / 20'000.0, 0.03)
            << expected << " " << limit << " " << rate;
      }
    }
  }
}

TEST(RunNoise, KnowsWhatInterruptionsAdd) {
  RunNoise noise;
  const CounterRandom random(4);
  for (std::uint64_t i = 0; i < 8000; ++i) noise.observe(1, run_of(1, 0.02, 4, random, i), kNoise);
  EXPECT_NEAR(noise.interrupted_share(), 0.08, 0.02);
}

TEST(RunNoise, KnowsTheSlackThatARunNeeds) {
  for (const double rate : {0.0, 0.02, 0.2}) {
    RunNoise noise;
    const CounterRandom random(5);
    for (std::uint64_t i = 0; i < 3000; ++i) noise.observe(1, run_of(1, rate, 4, random, i), kNoise);
    int hint = 0;  // of whatever run comes before
    for (const double expected : {1.0, 0.02, 3.0, 0.3, 40.0}) {
      for (const double probability : {0.99, 0.5, 0.9995, 0.9}) {
        const double needed = noise.needed(expected, probability, hint);
        int fresh = 0;
        EXPECT_EQ(noise.needed(expected, probability, fresh), needed);
        if (std::isinf(needed)) {
          EXPECT_LT(noise.within(expected, 1e9), probability) << expected;
          continue;
        }
        EXPECT_GE(noise.within(expected, needed * (1 + 1e-6)), probability - 1e-6) << expected << " " << rate;
        EXPECT_LT(noise.within(expected, needed * (1 - 1e-6)), probability + 1e-6) << expected << " " << rate;
      }
    }
  }
  int hint = 0;
  EXPECT_TRUE(std::isinf(RunNoise().needed(1, 0.5, hint))) << "nothing is known at first";
}

TEST(RunNoise, ForgetsInterruptionsThatHaveStopped) {
  RunNoise noise;
  for (int i = 0; i < 500; ++i) noise.observe(1, i % 5 == 0 ? 5 : 1, kNoise);
  EXPECT_NEAR(noise.within(1, 2), 0.8, 0.05);
  for (int i = 0; i < 10'000; ++i) noise.observe(1, 1, kNoise);
  EXPECT_GT(noise.within(1, 2), 0.99);
}

TEST(RunNoise, KnowsNothingAtFirst) {
  const RunNoise noise;
  EXPECT_EQ(noise.within(1, 0), 0);
  EXPECT_EQ(noise.within(1, -5), 0);
  EXPECT_EQ(noise.within(1, std::nan("")), 0);
}

}  // namespace
}  // namespace concertina::control
