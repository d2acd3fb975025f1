#include "interleaved.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

namespace concertina::bench {
namespace {

TEST(Interleaved, TakesTurns) {
  std::string order;
  const auto side = [&](char name) {
    return [&order, name]() -> Status {
      if (order.empty() || order.back() != name) order += name;
      return {};
    };
  };
  const auto times = interleave(side('o'), side('p'), {.rounds = 3, .block_ms = 0.01});
  ASSERT_TRUE(times);
  EXPECT_EQ(order, "opopopop");  // once to find how many runs a block has, then three rounds
  EXPECT_GE(times->ours.p99_ms, times->ours.median_ms);
  EXPECT_GE(times->peer.p99_ms, times->peer.median_ms);
  EXPECT_LE(times->ratio_low, times->ratio);
  EXPECT_GE(times->ratio_high, times->ratio);
}

TEST(Interleaved, EndsWithTheFirstError) {
  int runs = 0;
  const auto fails = [&]() -> Status { return ++runs < 20 ? Status() : Error{"the 20th run"}; };
  const auto works = []() -> Status { return {}; };
  const auto times = interleave(works, fails, {.rounds = 100, .block_ms = 0.01});
  ASSERT_FALSE(times);
  EXPECT_EQ(times.error().message, "the 20th run");
  EXPECT_EQ(runs, 20);
}

TEST(TimeMs, CountsFromTheCallToItsEnd) {
  const auto sleep = []() -> Status {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return {};
  };
  EXPECT_GE(*time_ms(sleep), 2);
  EXPECT_EQ(time_ms([]() -> Status { return Error{"no"}; }).error().message, "no");
}

}  // namespace
}  // namespace concertina::bench
