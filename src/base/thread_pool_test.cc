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
      pool.parallel_for(count, [&](int i) { calls[static_cast<std::size_t>(i)].fetch_add(1); });
      for (const auto& c : calls) EXPECT_EQ(c.load(), 1);
    }
  }
}

TEST(ThreadPool, FinishesOneLoopBeforeTheNext) {
  ThreadPool pool(3);
  std::vector<int> values(16, 0);
  for (int round = 1; round <= 5000; ++round) {
    pool.parallel_for(16, [&](int i) { ++values[static_cast<std::size_t>(i)]; });
    ASSERT_EQ(std::accumulate(values.begin(), values.end(), 0), 16 * round);
  }
}

}  // namespace
}  // namespace concertina
