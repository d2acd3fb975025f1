#include "base/shared_sum.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>
#include <vector>

namespace concertina {
namespace {

/// What process `rank` of `count` gives to its `number`-th sum, and what that should be.
double part(int rank, int number, std::size_t i) {
  return rank + 1000.0 * number + static_cast<double>(i) / 7;
}
double whole(int count, int number, std::size_t i) {
  double sum = 0;
  for (int rank = 0; rank < count; ++rank) sum += part(rank, number, i);
  return sum;
}

/// Sums of changing sizes; the number of those that were wrong.
int wrong_sums(SharedSum& sum, int rank, int count, int sums) {
  int wrong = 0;
  for (int number = 0; number < sums; ++number) {
    std::vector<double> values(number % 3 == 0 ? 1 : 257);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = part(rank, number, i);
    sum.add_up(rank, values);
    for (std::size_t i = 0; i < values.size(); ++i) wrong += values[i] != whole(count, number, i) ? 1 : 0;
  }
  return wrong;
}

TEST(SharedSum, ThreadsGetTheSumOfAll) {
  constexpr int kCount = 3, kSums = 500;
  const auto sum = SharedSum::make(kCount);
  ASSERT_TRUE(sum);
  std::vector<int> wrong(kCount, -1);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < kCount; ++rank) {
    threads.emplace_back(
        [&, rank] { wrong[static_cast<std::size_t>(rank)] = wrong_sums(**sum, rank, kCount, kSums); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(kCount, 0));
}

TEST(SharedSum, ProcessesGetTheSumOfAll) {
  constexpr int kCount = 2, kSums = 300;
  const auto sum = SharedSum::make(kCount);
  ASSERT_TRUE(sum);
  const pid_t child = fork();
  if (child == 0) _exit(wrong_sums(**sum, 1, kCount, kSums) == 0 ? 0 : 1);
  EXPECT_EQ(wrong_sums(**sum, 0, kCount, kSums), 0);
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(SharedSum, TheMostValuesFit) {
  const auto sum = SharedSum::make(1);
  ASSERT_TRUE(sum);
  std::vector<double> values(SharedSum::kMostValues, 2);
  (*sum)->add_up(0, values);
  EXPECT_EQ(values.back(), 2);
}

}  // namespace
}  // namespace concertina
