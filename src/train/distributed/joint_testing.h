#pragma once

// For tests: several processes that run one test together.

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "testing/temporary_folder.h"
#include "train/distributed/processes.h"

namespace concertina::train {

/// By which processes add up.
enum class Way { shared_memory, sockets };

/// A test that begins with
///
///   const auto processes = meet(2);
///   if (!processes) return;
///
/// is run by so many copies of the program, one thread each, which have met. The process that ctest has
/// started starts them, expects them to succeed, and returns.
class JointTest : public ::testing::Test {
 protected:
  static std::optional<Processes> meet(int count, Way way = Way::shared_memory) {
    at::set_num_threads(1);
    const char* place = std::getenv(kPlace);
    if (place == nullptr) {
      run_copies(count);
      return {};
    }
    const int rank = std::atoi(place);
    const char* meeting = std::strchr(place, ' ') + 1;
    const int local_count = way == Way::sockets ? 1 : count;
    auto processes = Processes::meet(
        {.rank = rank, .count = count, .local_count = local_count, .meeting = meeting}, torch::kCPU);
    if (processes) return *processes;
    ADD_FAILURE() << processes.error().message;
    return {};
  }

  /// Largest difference over the largest value.
  static double difference(const torch::Tensor& a, const torch::Tensor& b) {
    const double scale = b.abs().max().item<double>();
    return (a - b).abs().max().item<double>() / (scale > 0 ? scale : 1);
  }

 private:
  static constexpr const char* kPlace = "CONCERTINA_TEST_PLACE";

  static void run_copies(int count) {
    const testing::TestFolder folder;
    std::vector<pid_t> copies;
    for (int rank = 0; rank < count; ++rank) {
      const pid_t copy = ::fork();
      if (copy == 0) become_copy(rank, folder);
      copies.push_back(copy);
    }
    for (std::size_t rank = 0; rank < copies.size(); ++rank) {
      int status = 0;
      ::waitpid(copies[rank], &status, 0);
      EXPECT_EQ(status, 0) << "process " << rank << ":\n" << *read_file(folder / std::to_string(rank));
    }
  }

  [[noreturn]] static void become_copy(int rank, const testing::TestFolder& folder) {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    const std::string filter = fmt::format("--gtest_filter={}.{}", test->test_suite_name(), test->name());
    const std::string place = fmt::format("{} {}", rank, (folder / "store").string());
    ::setenv(kPlace, place.c_str(), 1);
    const int out = ::open((folder / std::to_string(rank)).c_str(), O_WRONLY | O_CREAT, 0600);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    ::execl("/proc/self/exe", "copy", filter.c_str(), nullptr);
    std::_Exit(1);
  }
};

}  // namespace concertina::train
