#include "base/float_mode.h"

#include <gtest/gtest.h>

#include <atomic>

#include "base/thread_pool.h"

namespace concertina {
namespace {

/// Not known before it runs.
float product(float a, float b) {
  volatile float x = a, y = b;
  return x * y;
}

#if defined(__x86_64__) || defined(__aarch64__)
TEST(FloatMode, FlushesDenormalsForAWhile) {
  EXPECT_GT(product(1e-30F, 1e-10F), 0);
  {
    const FlushDenormals flush;
    EXPECT_EQ(product(1e-30F, 1e-10F), 0);
    EXPECT_EQ(product(1e-39F, 1e10F), 0);  // denormal operands are zero as well
    { const FlushDenormals again; }
    EXPECT_EQ(product(1e-30F, 1e-10F), 0);
  }
  EXPECT_GT(product(1e-30F, 1e-10F), 0);
}

TEST(FloatMode, AThreadPoolComputesAsItsCaller) {
  constexpr int kCount = 1000;
  ThreadPool pool(3);
  const auto zeros = [&] {
    std::atomic<int> count{0};
    pool.parallel_for(kCount, [&](int) { count += product(1e-30F, 1e-10F) == 0 ? 1 : 0; });
    return count.load();
  };
  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(zeros(), 0);
    const FlushDenormals flush;
    EXPECT_EQ(zeros(), kCount);
  }
}
#endif

}  // namespace
}  // namespace concertina
