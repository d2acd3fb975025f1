#include "programs/programs.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "base/file.h"

namespace concertina::testing {
namespace {

std::string temporary_file() {
  std::string name = "/tmp/concertina-test-XXXXXX";
  const int fd = mkstemp(name.data());
  if (fd >= 0) close(fd);
  return name;
}

std::string take(const std::string& file) {
  std::string text = *read_file(file);
  std::remove(file.c_str());
  return text;
}

[[noreturn]] void become(const std::vector<std::string>& command, const std::string& out,
                         const std::string& err, std::size_t file_limit) {
  dup2(open(out.c_str(), O_WRONLY), STDOUT_FILENO);
  dup2(open(err.c_str(), O_WRONLY), STDERR_FILENO);
  if (file_limit > 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{file_limit, file_limit};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  std::vector<char*> arguments;
  for (const std::string& part : command) arguments.push_back(const_cast<char*>(part.c_str()));
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  _exit(127);
}

/// One sentence, after what told of progress, that contains `part`.
void expect_sentence(const ProcessResult& result, const std::string& part) {
  const std::string lines = "\n" + result.err;
  const std::size_t sentence = lines.find("\nconcertina");
  ASSERT_NE(sentence, std::string::npos) << result.err;
  EXPECT_EQ(lines.find('\n', sentence + 1), lines.size() - 1) << result.err;  // and nothing after it
  EXPECT_THAT(lines.substr(sentence), ::testing::HasSubstr(part));
}

}  // namespace

ProgramTest::ProgramTest() {
  ::setenv("XDG_CACHE_HOME", (folder_ / "cache").c_str(), 1);
}

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
  expect_sentence(result, part);
}

void ProgramTest::expect_no(const ProcessResult& result, const std::string& part) {
  EXPECT_EQ(result.exit_code, 1) << result.err;
  expect_sentence(result, part);
}

ProcessResult run_process(const std::vector<std::string>& command, const std::function<bool()>& kill_when,
                          std::size_t file_limit, int signal) {
  const std::string out = temporary_file(), err = temporary_file();
  const pid_t child = fork();
  if (child == 0) become(command, out, err, file_limit);
  int status = 0;
  if (kill_when) {
    while (waitpid(child, &status, WNOHANG) == 0) {
      if (kill_when()) {
        kill(child, signal);
        waitpid(child, &status, 0);
        break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  } else {
    waitpid(child, &status, 0);
  }
  return {.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1, .out = take(out), .err = take(err)};
}

}  // namespace concertina::testing
