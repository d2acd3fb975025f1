#pragma once

#include <gtest/gtest.h>

#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include "testing/temporary_folder.h"

namespace concertina::testing {

struct ProcessResult {
  int exit_code = -1;  ///< -1: ended by a signal
  std::string out;
  std::string err;
};

/// Runs a program to its end, or until `kill_when` is true, when it gets `signal`; it is asked every
/// millisecond. `file_limit`: bytes that it may write to any one file, as a disk without room; 0 = no limit.
ProcessResult run_process(const std::vector<std::string>& command,
                          const std::function<bool()>& kill_when = {}, std::size_t file_limit = 0,
                          int signal = SIGKILL);

/// Runs the programs as a user does, but with a cache of its own.
class ProgramTest : public ::testing::Test {
 protected:
  ProgramTest();

  static ProcessResult concertina(std::vector<std::string> arguments);
  static ProcessResult concertina_train(std::vector<std::string> arguments);

  /// Expects exit code 2, and on stderr, after what told of progress, one sentence that contains `part`.
  static void expect_refused(const ProcessResult& result, const std::string& part);
  /// The same with exit code 1: what was asked for was done, and the answer is no.
  static void expect_no(const ProcessResult& result, const std::string& part);

  const testing::TestFolder folder_;
};

}  // namespace concertina::testing
