#include "programs/programs.h"

#include <gmock/gmock.h>

namespace concertina::testing {

ProcessResult ProgramTest::concertina(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), CONCERTINA_PROGRAM);
  return run_process(arguments);
}

ProcessResult ProgramTest::concertina_train(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), CONCERTINA_TRAIN_PROGRAM);
  return run_process(arguments);
}

void ProgramTest::expect_refused(const ProcessResult& result, const std::string& part) {
  EXPECT_EQ(result.exit_code, 2) << result.err;
  const std::string lines = "\n" + result.err;
  const std::size_t sentence = lines.find("\nconcertina");
  ASSERT_NE(sentence, std::string::npos) << result.err;
  EXPECT_EQ(lines.find('\n', sentence + 1), lines.size() - 1) << result.err;  // and nothing after it
  EXPECT_THAT(lines.substr(sentence), ::testing::HasSubstr(part));
}

}  // namespace concertina::testing
