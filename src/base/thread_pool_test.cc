#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <numeric>

namespace concertina {
namespace {

TEST(ThreadPool, CallsEveryIndexOnce) {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.size(), threads);
    for (const int count : {0, 1, 2, 3, 100}) {
      std::vector<std::atomic<int>> calls(static_cast<std::size_t>(count));
      pool.parallel_for(count, [&](int i) { calls[i].fetch_add(1); });
      for (const auto& c : calls) EXPECT_EQ(c.load(), 1);
    }
  }
}

TEST(ThreadPool, TellsTheThread) {
  ThreadPool pool(3);
  std::vector<int> thread_of(1000, -1);
  for (int round = 0; round < 100; ++round) {
    pool.parallel_for(1000, [&](int i, int thread) { thread_of[i] = thread; });
    for (const int thread : thread_of) ASSERT_TRUE(thread >= 0 && thread < 3);
  }
}

TEST(ThreadPool, AThreadIsNeverInTwoCalls) {
  ThreadPool pool(4);
  std::vector<std::atomic<int>> inside(4);
  std::atomic<int> clashes{0};
  pool.parallel_for(4000, [&](int, int thread) {
    if (inside[thread].fetch_add(1) != 0) ++clashes;
    inside[thread].fetch_sub(1);
  });
  EXPECT_EQ(clashes, 0);
}

/// More threads than processors, and loops so short that workers come late.
TEST(ThreadPool, LateWorkersDoNoHarm) {
  ThreadPool pool(16);
  std::vector<int> calls(40);
  for (int round = 0; round < 3000; ++round) {
    const int count = 2 + round * 7 % 39;
    std::fill(calls.begin(), calls.end(), 0);
    pool.parallel_for(count, [&](int i) { ++calls[i]; });
    for (int i = 0; i < 40; ++i) ASSERT_EQ(calls[i], i < count ? 1 : 0);
  }
}

/// A worker that wakes for a loop may find the pool stopping.
TEST(ThreadPool, StopsWhileWorkersComeLate) {
  for (int round = 0; round < 300; ++round) {
    std::atomic<int> calls{0};
    {
      ThreadPool pool(9);
      pool.parallel_for(1, [](int) {});  // done without the workers
      for (int loop = 0; loop < 1 + round % 3; ++loop) pool.parallel_for(2, [&](int) { ++calls; });
    }
    ASSERT_EQ(calls, 2 * (1 + round % 3));
  }
}

TEST(ThreadPool, FinishesOneLoopBeforeTheNext) {
  ThreadPool pool(3);
  std::vector<int> values(16, 0);
  for (int round = 1; round <= 5000; ++round) {
    pool.parallel_for(16, [&](int i) { ++values[i]; });
    ASSERT_EQ(std::accumulate(values.begin(), values.end(), 0), 16 * round);
  }
}

}  // namespace
}  // namespace concertina
