#pragma once

#include <functional>
#include <string>
#include <vector>

namespace concertina::testing {

struct ProcessResult {
  int exit_code = -1;  ///< -1: ended by a signal
  std::string out;
  std::string err;
};

/// Runs a program to its end, or until `kill_when` is true, when it gets SIGKILL; it is asked every
/// millisecond. `file_limit`: bytes that it may write to any one file, as a disk without room; 0 = no limit.
ProcessResult run_process(const std::vector<std::string>& command,
                          const std::function<bool()>& kill_when = {}, std::size_t file_limit = 0);

}  // namespace concertina::testing
