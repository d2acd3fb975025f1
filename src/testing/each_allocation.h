#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <new>
#include <optional>
#include <string>
#include <type_traits>

#include "testing/allocation_count.h"

namespace concertina::testing {

/// Files that this program has open.
inline std::ptrdiff_t open_files() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

/// Calls act() with its first request for memory failing, on whatever thread it comes, then with its second,
/// until a call ends before its turn has come; in between, calls that nothing disturbs. After each of them
/// judge(result, failed) is told what it gave, and whether a request has failed. With the result all memory
/// and files must go. Stops at the first that does not pass. Says how many requests have failed, and gives
/// their number. Precondition: allocation_count() >= 0.
template <typename Act, typename Judge>
std::int64_t fail_each_allocation(Act act, Judge judge) {
  judge(act(), false);  // what the first call keeps, as stacks of threads, is no loss
  const std::int64_t alive = allocations_alive();
  const std::ptrdiff_t files = open_files();
  std::int64_t request = 0;
  for (bool failed = true; failed && !::testing::Test::HasFailure(); ++request) {
    fail_allocation(request);
    {
      const auto result = act();
      failed = allocation_failed();
      fail_allocation(-1);
      judge(result, failed);
    }
    EXPECT_EQ(allocations_alive(), alive) << "memory is lost";
    EXPECT_EQ(open_files(), files) << "a file is left open";
    if (failed) judge(act(), false);
  }
  --request;
  EXPECT_FALSE(::testing::Test::HasFailure()) << "where request " << request << " fails, counted from 0";
  ::testing::Test::RecordProperty("failed_requests", std::to_string(request));
  std::cout << request << " requests for memory have failed\n";
  return request;
}

/// The same of a call that gives a Result: an error only where a request has failed, and no exception.
template <typename Act>
std::int64_t fail_each_allocation(Act act) {
  return fail_each_allocation(act, [](const auto& result, bool failed) {
    if (result) return;
    EXPECT_TRUE(failed) << result.error().message;
    EXPECT_NE(result.error().message, "");
  });
}

/// The same of a function inside the library, whose exception std::bad_alloc may leave it. What it gives in
/// spite of a failed request is to be what it gives without.
template <typename Act>
std::int64_t fail_each_allocation_inside(Act act) {
  const auto wanted = act();
  const auto caught = [&]() -> std::optional<std::invoke_result_t<Act>> {
    try {
      return act();
    } catch (const std::bad_alloc&) {
      return std::nullopt;
    }
  };
  return fail_each_allocation(caught, [&](const auto& got, bool failed) {
    if (got) {
      EXPECT_EQ(*got, wanted);
    } else {
      EXPECT_TRUE(failed);
    }
  });
}

}  // namespace concertina::testing
