#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace concertina::testing {

struct ProcessResult {
  int exit_code = -1;  ///< -1: ended by a signal
  std::string out;
  std::string err;
};

/// Runs a program to its end, or until `kill_after` has passed, when it gets SIGKILL.
/// `file_limit`: bytes that it may write to any one file, as a disk without room; 0 = no limit.
ProcessResult run_process(const std::vector<std::string>& command,
                          std::optional<std::chrono::milliseconds> kill_after = {},
                          std::size_t file_limit = 0);

}  // namespace concertina::testing
