#include "base/random.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace concertina {
namespace {

TEST(CounterRandom, IsAFunctionOfSeedStreamAndCounter) {
  EXPECT_EQ(CounterRandom(1, 2).bits(3), CounterRandom(1, 2).bits(3));
  EXPECT_NE(CounterRandom(1, 2).bits(3), CounterRandom(1, 2).bits(4));
  EXPECT_NE(CounterRandom(1, 2).bits(3), CounterRandom(1, 3).bits(3));
  EXPECT_NE(CounterRandom(1, 2).bits(3), CounterRandom(2, 2).bits(3));
}

TEST(CounterRandom, IsUniform) {
  const CounterRandom random(7);
  double sum = 0;
  int buckets[10] = {};
  constexpr int kDraws = 100'000;
  for (int i = 0; i < kDraws; ++i) {
    const double u = random.uniform(static_cast<std::uint64_t>(i));
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
    ++buckets[static_cast<int>(u * 10)];
  }
  EXPECT_NEAR(sum / kDraws, 0.5, 0.005);
  for (const int count : buckets) EXPECT_NEAR(count, kDraws / 10, 500);
}

TEST(CounterRandom, PermutesEveryIndexOnce) {
  auto order = CounterRandom(3).permutation(1000);
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  for (std::size_t i = 0; i < order.size(); ++i) ASSERT_EQ(order[i], static_cast<std::int64_t>(i));
}

}  // namespace
}  // namespace concertina
