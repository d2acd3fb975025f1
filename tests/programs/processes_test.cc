// Several processes that train one network together.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/file.h"
#include "base/text.h"
#include "onnx/model_file.h"
#include "programs/toy_pipeline.h"
#include "testing/image_files.h"

namespace concertina::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

nlohmann::json json_of(const fs::path& path) {
  return nlohmann::json::parse(*read_file(path));
}

/// A process, and the one that has started it.
struct Process {
  pid_t id, parent;
};

/// Those whose command line names the folder.
std::vector<Process> processes_of(const fs::path& folder) {
  std::vector<Process> found;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator("/proc", code)) {
    const auto id = parse_number<pid_t>(entry.path().filename().string());
    const auto command = read_file(entry.path() / "cmdline"), status = read_file(entry.path() / "status");
    if (!id || !command || !status || command->find(folder.string()) == std::string::npos) continue;
    const std::size_t parent = status->find("\nPPid:\t") + 7;
    found.push_back({*id, *parse_number<pid_t>(status->substr(parent, status->find('\n', parent) - parent))});
  }
  return found;
}

/// Whether all are gone within seconds.
bool all_end(const fs::path& folder) {
  for (int i = 0; i < 500 && !processes_of(folder).empty(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return processes_of(folder).empty();
}

/// A port that nobody uses.
int free_port() {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(listener, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(listener);
  return ntohs(address.sin_port);
}

class ProcessesTest : public ToyPipeline {
 protected:
  ProcessResult train_by(int processes, const std::string& verb, const fs::path& out,
                         std::vector<std::string> more = {}) const {
    more.insert(more.end(), {"--processes", std::to_string(processes)});
    return train(verb, out, more);
  }

  /// The same, by the shell, with variables set.
  ProcessResult train_with(const std::string& variables, const std::string& verb, const fs::path& out,
                           const std::vector<std::string>& more = {}) const {
    return run_process({"/bin/sh", "-c", shell_command(variables, verb, out, more)});
  }
  /// Two processes as torchrun would start them; the shell waits for the first of them.
  std::string both(const std::string& verb, const fs::path& out,
                   const std::vector<std::string>& more = {}) const {
    const std::string where =
        "WORLD_SIZE=2 LOCAL_WORLD_SIZE=2 OMP_NUM_THREADS=1 MASTER_ADDR=127.0.0.1 MASTER_PORT=" +
        std::to_string(free_port()) + " ";
    return shell_command(where + "RANK=1 LOCAL_RANK=1", verb, out, more) + " & " +
           shell_command(where + "RANK=0 LOCAL_RANK=0", verb, out, more);
  }
  std::string shell_command(const std::string& variables, const std::string& verb, const fs::path& out,
                            const std::vector<std::string>& more = {}) const {
    std::string command = variables;
    for (const std::string& part : train_command(verb, out, more)) command += " '" + part + "'";
    return command;
  }
};

/// Largest difference of an array's values over the largest value.
double difference(const Array& array, const Array& wanted) {
  double largest = 0, difference = 0;
  for (std::size_t i = 0; i < wanted.values.size(); ++i) {
    largest = std::max(largest, std::abs(double{wanted.values[i]}));
    difference = std::max(difference, std::abs(double{array.values[i]} - wanted.values[i]));
  }
  return difference / std::max(largest, 1e-3);
}

TEST_F(ProcessesTest, TwoFindWhatOneFinds) {
  constexpr double kNoise = 5e-2;
  const fs::path one = folder_ / "one", two = folder_ / "two";
  // Slowly: otherwise not even one process with two threads finds what it finds with one, because now and
  // then rounding decides on which side of 0 an activation is.
  const std::vector<std::string> how = {"--set", "training.learning_rate=0.005",
                                        "--set", "search.fine_tune_learning_rate=0.001",
                                        "--set", "pretrain.epochs=1",
                                        "--set", "rank.method=none",  // a near tie would exchange channels
                                        "--set", "search.groups=2",
                                        "--set", "select.subnets=3",
                                        "--set", "joint.focus=1",
                                        "--set", "joint.private_norm=true"};
  ASSERT_EQ(train("run", one, how).exit_code, 0);
  std::vector<std::string> printed = how;
  printed.push_back("--json");
  const ProcessResult run = train_by(2, "run", two, printed);
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.out, *read_file(two / "package" / "results.json"));
  EXPECT_TRUE(fs::exists(two / "search" / "weights-1.pt"));  // it has fine-tuned
  EXPECT_EQ(*read_file(two / "select" / "subnets.json"), *read_file(one / "select" / "subnets.json"));
  const auto got = *onnx::read_model(two / "model.onnx"), wanted = *onnx::read_model(one / "model.onnx");
  for (const auto& [name, array] : wanted.network.weights)
    EXPECT_LT(difference(got.network.weights.at(name), array), kNoise) << name;
  ASSERT_EQ(got.subnets.size(), wanted.subnets.size());
  for (std::size_t i = 0; i < wanted.subnets.size(); ++i) {
    EXPECT_NEAR(*got.subnets[i].test_accuracy, *wanted.subnets[i].test_accuracy, 0.03);
    for (const auto& [name, array] : wanted.subnets[i].own)
      EXPECT_LT(difference(got.subnets[i].own.at(name), array), kNoise) << i << name;
  }
  EXPECT_THAT(*read_file(two / "joint" / "devices"), HasSubstr("1 thread, 2 processes\n"));
  EXPECT_EQ(concertina({"verify", (two / "model.onnx").string()}).exit_code, 0);
  // A run does not depend on how many processes go on with it.
  EXPECT_THAT(train("run", two, how).err, HasSubstr("package: done before"));
}

TEST_F(ProcessesTest, FromTheSameWeightsTheyRankAlike) {
  const fs::path one = folder_ / "one";
  ASSERT_EQ(train("pretrain", one).exit_code, 0);
  for (const char* method : {"noise", "taylor", "fisher"}) {
    const fs::path two = folder_ / method;
    fs::copy(one, two, fs::copy_options::recursive);
    const std::vector<std::string> how = {"--set", std::string("rank.method=") + method};
    ASSERT_EQ(train("rank", one, how).exit_code, 0);
    ASSERT_EQ(train_by(2, "rank", two, how).exit_code, 0);
    const auto wanted = json_of(one / "rank" / "ranking.json"), got = json_of(two / "rank" / "ranking.json");
    for (std::size_t d = 0; d < wanted.size(); ++d) {
      const auto scores = wanted[d]["importance"].get<std::vector<double>>();
      const double largest = *std::max_element(scores.begin(), scores.end());
      for (std::size_t c = 0; c < scores.size(); ++c)
        EXPECT_NEAR(got[d]["importance"][c].get<double>(), scores[c], 1e-3 * largest) << method;
    }
  }
}

// Each evaluation is one process's, so the journal has the same bytes.
TEST_F(ProcessesTest, FromTheSameWeightsTheySearchAlike) {
  const fs::path one = folder_ / "one", two = folder_ / "two";
  const auto how = [](const std::string& batches) {
    return std::vector<std::string>{
        "--set", "pretrain.epochs=1",  "--set", "rank.method=l1", "--set", "search.groups=3",
        "--set", "search.threshold=0", "--set", batches};
  };
  for (const char* batches : {"search.norm_batches=1", "search.norm_batches=0"}) {
    if (!fs::exists(one)) {
      ASSERT_EQ(train("pretrain", one, how(batches)).exit_code, 0);
      ASSERT_EQ(train("rank", one, how(batches)).exit_code, 0);
      fs::copy(one, two, fs::copy_options::recursive);
    }
    ASSERT_EQ(train("search", one, how(batches)).exit_code, 0);
    ASSERT_EQ(train_by(2, "search", two, how(batches)).exit_code, 0);
    EXPECT_EQ(*read_file(two / "search" / "journal.jsonl"), *read_file(one / "search" / "journal.jsonl"));
  }
}

TEST_F(ProcessesTest, OneThatIsKilledEndsAllAndTheRunGoesOn) {
  const fs::path out = folder_ / "run";
  bool killed = false;
  const std::vector<std::string> command =
      train_command("pretrain", out, {"--processes", "2", "--set", "pretrain.epochs=10"});
  const ProcessResult run = run_process(command, [&] {
    if (killed || !fs::exists(out / "pretrain" / "checkpoint.pt")) return false;
    const std::vector<Process> all = processes_of(out);
    const auto child = std::find_if(all.begin(), all.end(), [&](const Process& one) {
      return std::any_of(all.begin(), all.end(),
                         [&](const Process& other) { return other.id == one.parent; });
    });
    killed = child != all.end() && ::kill(child->id, SIGKILL) == 0;
    return false;
  });
  EXPECT_TRUE(killed);
  expect_refused(run, "of 2 was killed by signal 9; run again");
  EXPECT_TRUE(processes_of(out).empty());
  const ProcessResult again = run_process(command);
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_TRUE(fs::exists(out / "pretrain" / "done"));
}

// It is damaged when training has begun, so that one of the processes meets it.
TEST_F(ProcessesTest, ADamagedImageEndsAllWithOneSentence) {
  for (const char* split : {"train", "test"}) {
    for (int i = 0; i < 48; ++i) {
      const std::string name = fmt::format("pictures/{}/{}/{}.png", split, i % 2 == 0 ? "even" : "odd", i);
      folder_.write(name, to_png(smooth_image(16, 16, 3, i)));
    }
  }
  const fs::path out = folder_ / "run";
  std::vector<std::string> command = train_command("pretrain", out, {"--processes", "2"});
  for (const std::string& setting :
       {"data.path=" + (folder_ / "pictures").string(), std::string("data.crop=resized"),
        std::string("data.image_size=16"), std::string("data.resize=16"), std::string("data.validation=8"),
        std::string("training.batch=4"), std::string("pretrain.epochs=10000")})
    command.insert(command.end(), {"--set", setting});
  bool damaged = false;
  const ProcessResult ended = run_process(command, [&] {
    if (damaged || !fs::exists(out / "pretrain" / "log.jsonl")) return false;
    for (int i = 1; i < 48; i += 2) folder_.write(fmt::format("pictures/train/odd/{}.png", i), "no image");
    damaged = true;
    return false;
  });
  expect_refused(ended, ".png' is neither");
}

TEST_F(ProcessesTest, TheyEndWithTheOneThatStartedThem) {
  for (const int signal : {SIGKILL, SIGTERM, SIGINT}) {
    const fs::path out = folder_ / std::to_string(signal);
    const auto trains = [&] { return fs::exists(out / "pretrain" / "checkpoint.pt"); };
    const std::vector<std::string> command =
        train_command("pretrain", out, {"--processes", "2", "--set", "pretrain.epochs=10000"});
    EXPECT_EQ(run_process(command, trains, 0, signal).exit_code, -1);
    EXPECT_TRUE(all_end(out));
    for (const Process& one : processes_of(out)) ::kill(one.id, SIGKILL);
  }
}

TEST_F(ProcessesTest, TheEnvironmentPlacesThem) {
  const fs::path out = folder_ / "run";
  const ProcessResult run = run_process({"/bin/sh", "-c", both("pretrain", out)});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(*read_file(out / "pretrain" / "devices"), HasSubstr(", 2 processes"));
  // One process tells of progress.
  EXPECT_EQ(run.err.find("270 images"), run.err.rfind("270 images")) << run.err;

  // Here nobody watches over them: each notices by itself.
  bool killed = false;
  const fs::path longer = folder_ / "longer";
  const ProcessResult ended =
      run_process({"/bin/sh", "-c", both("pretrain", longer, {"--set", "pretrain.epochs=10000"})}, [&] {
        if (killed || !fs::exists(longer / "pretrain" / "checkpoint.pt")) return false;
        for (const Process& one : processes_of(longer)) {
          const auto variables = read_file(fmt::format("/proc/{}/environ", one.id));
          if (variables && variables->find(std::string("\0RANK=1", 7)) != std::string::npos)
            killed = ::kill(one.id, SIGKILL) == 0;
        }
        return false;
      });
  EXPECT_TRUE(killed);
  expect_refused(ended, "another process of this run has ended");
  EXPECT_TRUE(processes_of(longer).empty());
}

TEST_F(ProcessesTest, WhatCannotBeSharedIsRefused) {
  const fs::path out = folder_ / "run";
  expect_refused(train_by(4, "pretrain", out), "a batch of 30 images cannot be shared evenly by 4 processes");
  expect_refused(train_with("RANK=1", "pretrain", out), "the environment has RANK but no WORLD_SIZE");
  expect_refused(train_with("RANK=2 WORLD_SIZE=2", "pretrain", out), "RANK is '2'");
  expect_refused(train_with("RANK=0 WORLD_SIZE=2 MASTER_ADDR=a MASTER_PORT=b", "pretrain", out),
                 "MASTER_PORT is 'b'");
  const std::string two = "RANK=0 WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=9";
  expect_refused(train_with(two, "pretrain", out, {"--processes", "2"}),
                 "leave --processes out, or unset WORLD_SIZE");
  expect_refused(train_with(two, "rankers", out), "rankers works in one process");
  EXPECT_FALSE(fs::exists(out));
  // What is wrong for all is said once.
  expect_refused(train_by(2, "rank", out), "rank needs the results of pretrain");
}

}  // namespace
}  // namespace concertina::testing
