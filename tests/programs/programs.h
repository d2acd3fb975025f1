#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "programs/process.h"
#include "testing/temporary_folder.h"

namespace concertina::testing {

/// Runs the programs as a user does.
class ProgramTest : public ::testing::Test {
 protected:
  static ProcessResult concertina(std::vector<std::string> arguments);
  static ProcessResult concertina_train(std::vector<std::string> arguments);

  /// Expects exit code 2, and on stderr, after what told of progress, one sentence that contains `part`.
  static void expect_refused(const ProcessResult& result, const std::string& part);

  const testing::TestFolder folder_;
};

}  // namespace concertina::testing
