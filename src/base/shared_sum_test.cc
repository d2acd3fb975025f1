#include "base/shared_sum.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>
#include <vector>

namespace concertina {
namespace {

/// What process `rank` gives to its `number`-th sum, and what that should be: exact in any of the types.
int part(int rank, int number, std::size_t i) {
  return 1000 * rank + 7 * number + static_cast<int>(i % 911);
}
int whole(int count, int number, std::size_t i) {
  int sum = 0;
  for (int rank = 0; rank < count; ++rank) sum += part(rank, number, i);
  return sum;
}

/// The number of values that are wrong.
template <typename T>
int wrong_values(SharedSum& sum, int rank, int count, int number, std::size_t size) {
  std::vector<T> values(size);
  for (std::size_t i = 0; i < size; ++i) values[i] = static_cast<T>(part(rank, number, i));
  if (!sum.add_up(std::span(values))) return 1;
  int wrong = 0;
  for (std::size_t i = 0; i < size; ++i)
    wrong += values[i] == static_cast<T>(whole(count, number, i)) ? 0 : 1;
  return wrong;
}

/// Sums of all types and of changing sizes, now and then of one that is made in parts.
int wrong_sums(SharedSum& sum, int rank, int count, int sums) {
  int wrong = 0;
  for (int number = 0; number < sums; ++number) {
    const std::size_t size = number % 100 == 99 ? SharedSum::kPlaceBytes : number % 3 == 0 ? 1 : 257;
    wrong += wrong_values<double>(sum, rank, count, number, size);
    wrong += wrong_values<float>(sum, rank, count, number, size);
    wrong += wrong_values<std::int32_t>(sum, rank, count, number, size);
  }
  return wrong;
}

/// A sum of this process and of another one, which does `work` and ends.
struct Two {
  std::shared_ptr<SharedSum> sum;
  pid_t other = 0;
};

template <typename Work>
Two start(const Work& work) {
  Two two{*SharedSum::make(2), 0};
  const auto joined = *SharedSum::join(two.sum->name(), 1, 2);
  two.other = fork();
  if (two.other == 0) _exit(work(*joined) ? 0 : 1);
  return two;
}

int end_of(pid_t process) {
  int status = -1;
  waitpid(process, &status, 0);
  return status;
}

TEST(SharedSum, ThreadsGetTheSumOfAll) {
  constexpr int kCount = 3, kSums = 200;
  std::vector<std::shared_ptr<SharedSum>> members;
  members.push_back(*SharedSum::make(kCount));
  for (int rank = 1; rank < kCount; ++rank)
    members.push_back(*SharedSum::join(members[0]->name(), rank, kCount));
  std::vector<int> wrong(kCount, -1);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < kCount; ++rank) {
    threads.emplace_back([&, rank] {
      const auto i = static_cast<std::size_t>(rank);
      wrong[i] = wrong_sums(*members[i], rank, kCount, kSums);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(kCount, 0));
}

TEST(SharedSum, ProcessesGetTheSumOfAll) {
  constexpr int kCount = 2, kSums = 200;
  const Two two = start([](SharedSum& joined) { return wrong_sums(joined, 1, kCount, kSums) == 0; });
  EXPECT_EQ(wrong_sums(*two.sum, 0, kCount, kSums), 0);
  EXPECT_EQ(end_of(two.other), 0);
}

TEST(SharedSum, OneThatHasEndedIsNoticed) {
  const Two two = start([](SharedSum& joined) {
    double value = 2;
    return joined.add_up({&value, 1}) && value == 3;
  });
  double value = 1;
  EXPECT_TRUE(two.sum->add_up({&value, 1}));
  EXPECT_EQ(value, 3);
  EXPECT_FALSE(two.sum->add_up({&value, 1}));
  EXPECT_EQ(end_of(two.other), 0);
}

TEST(SharedSum, ItsNameGoes) {
  auto sum = *SharedSum::make(2);
  const std::string name = sum->name();
  EXPECT_TRUE(std::filesystem::exists(name));
  EXPECT_TRUE(SharedSum::join(name, 1, 2));
  sum->hide();
  EXPECT_FALSE(std::filesystem::exists(name));
  EXPECT_FALSE(SharedSum::join(name, 1, 2));
  sum = *SharedSum::make(2);
  const std::string other = sum->name();
  sum.reset();
  EXPECT_FALSE(std::filesystem::exists(other));
}

}  // namespace
}  // namespace concertina
