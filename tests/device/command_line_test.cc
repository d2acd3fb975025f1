// The program concertina as a user types it: words, lists, options, exit codes, progress. It needs no
// trainer.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/machine.h"
#include "latency/latency_table.h"
#include "profile/this_machine.h"
#include "programs/programs.h"
#include "testing/models.h"

namespace concertina::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
namespace fs = std::filesystem;

class CommandLine : public ProgramTest {
 protected:
  CommandLine() { EXPECT_TRUE(onnx::write_model(model_, random_model(resnet8(), 4))); }

  /// Prints JSON, with exit code 0.
  static nlohmann::json json(const ProcessResult& result) {
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return nlohmann::json::parse(result.out, nullptr, false);
  }

  /// A table of all sub-nets, of which one in a hundred runs takes `tail` times the median.
  std::string table(double ms, double tail = 1.2) {
    latency::LatencyTable made{.machine = profile::this_machine()};
    const onnx::ModelFile file = *onnx::read_model(model_);
    for (std::size_t i = 0; i < file.subnets.size(); ++i) {
      const double median = ms / static_cast<double>(i + 1), p99 = median * tail;
      made.subnets.push_back(
          {.subnet = file.subnets[i].subnet,
           .runs = 200,
           .times = latency::TimeQuantiles({median, median, median, median, median, median, p99, p99})});
    }
    return folder_.write("table.json", made.to_json());
  }

  /// In a shell: what a user writes there.
  static ProcessResult shell(const std::string& command) { return run_process({"/bin/sh", "-c", command}); }

  const std::string model_ = (folder_ / "m.onnx").string();
};

TEST_F(CommandLine, SuggestsTheNearestWordAndTheVerbsHelp) {
  expect_refused(concertina({}), "name a verb: inspect, ");
  expect_refused(concertina({"evel", model_}),
                 "no verb 'evel'; the nearest is 'eval'; see concertina --help");
  expect_refused(concertina({"eval", model_, "--dat", "x"}),
                 "no option '--dat'; the nearest is '--data'; see concertina eval --help");
  expect_refused(concertina({"bench", "--thread=2", model_}), "the nearest is '--threads'");
  expect_refused(concertina({"bench", model_, "b", "a"}),
                 "'b' 'a' were not expected; see concertina bench --help");
  expect_refused(concertina({"eval", model_}), "--data is required; see concertina eval --help");
  expect_refused(concertina({"bench", model_, "--batch", "0"}), "see concertina bench --help");
  expect_refused(concertina({"bench", model_, "--precision", "fp16"}),
                 "--precision: 'fp16' is not fp32, bf16, int8 or auto;");
}

TEST_F(CommandLine, HelpsInWords) {
  const ProcessResult program = concertina({"--help"});
  EXPECT_EQ(program.exit_code, 0);
  EXPECT_THAT(program.out, HasSubstr("Exit codes:"));
  for (const char* verb : {"inspect", "eval", "bench", "profile", "tune", "precisions", "verify", "export",
                           "classify", "cascade", "plan", "soak", "simulate", "watch", "schedule"}) {
    EXPECT_THAT(program.out, HasSubstr(std::string("\n  ") + verb + " "));
    const ProcessResult help = concertina({verb, "--help"});
    EXPECT_EQ(help.exit_code, 0) << verb;
    EXPECT_THAT(help.out, AllOf(HasSubstr("--json"), Not(HasSubstr("->")), Not(HasSubstr(":{")))) << verb;
  }
}

TEST_F(CommandLine, TakesOptionsBeforeTheModelAndBehindIt) {
  EXPECT_EQ(concertina({"bench", "--pin", "0", model_, "-r", "2"}).exit_code, 0);
  EXPECT_EQ(concertina({"profile", "--batch", "1", model_, "--no-layers", "-t", "0.1"}).exit_code, 0);
  const std::string latency = table(1);
  for (const auto& [option, value] : {std::pair("--policy", "concertina"), {"--arrivals", "poisson"}}) {
    const ProcessResult simulated =
        concertina({"simulate", option, value, model_, "-n", "50", "--latency-table", latency});
    EXPECT_EQ(simulated.exit_code, 0) << simulated.err;
  }
}

TEST_F(CommandLine, SeparatesListsByCommas) {
  const auto bench = json(concertina({"bench", "--subnet", "0,3", "-r", "2", "--json", model_}));
  ASSERT_EQ(bench["subnets"].size(), 2u);
  EXPECT_EQ(bench["subnets"][1]["subnet"], 3);
  expect_refused(concertina({"bench", model_, "--subnet", "0,4"}), "no sub-net 4; the model has 0 to 3");
  expect_refused(concertina({"bench", model_, "--subnet", "0,"}), "'' is not a sub-net");
  const auto schedule = json(concertina({"schedule", "--load", "0.9,1.05", "--policy", "sizes,edf",
                                         "--repeats", "1", "-n", "50", "--rounds", "2", "--json", model_}));
  ASSERT_EQ(schedule["schedules"].size(), 4u);
  EXPECT_EQ(schedule["schedules"][1]["policy"], "edf");
  EXPECT_EQ(schedule["schedules"][2]["load"], 1.05);
  expect_refused(concertina({"schedule", model_, "--policy", "sizes edf"}),
                 "no scheduling policy 'sizes edf'");
}

TEST_F(CommandLine, NoThreadsAreOneForEachCore) {
  const auto bench =
      json(concertina({"bench", "--threads", "0", "--subnet", "0", "-r", "2", "--json", model_}));
  EXPECT_EQ(bench["threads"], usable_cores());
}

TEST_F(CommandLine, PrintsEveryTableAsJson) {
  const auto tuned = json(concertina({"tune", "--rounds", "1", "-r", "1", "--json", model_}));
  ASSERT_FALSE(tuned["layers"].empty());
  EXPECT_EQ(tuned["layers"][0]["kernels"].size(), 4u);
  EXPECT_EQ(tuned["out"], (folder_ / "m.tuning.json").string());
  const auto exported =
      json(concertina({"export", "--json", "--subnet", "1", "--out", (folder_ / "e").string(), model_}));
  ASSERT_EQ(exported.size(), 1u);
  EXPECT_TRUE(fs::exists(exported[0]["file"].get<std::string>()));
  expect_refused(concertina({"export", "--precision", "int8", model_}), "has no scales for int8");
  const auto layers = json(concertina({"profile", "resnet8", "--input", "1x16x16", "--width", "0.25",
                                       "--batch", "1", "--threads", "1", "--precision", "int8", "-t", "0.1",
                                       "--json", "--out", (folder_ / "l.json").string()}));
  EXPECT_EQ(layers["precision"], "int8");
  EXPECT_FALSE(layers["layers"].empty());
}

// With ten hours to measure for, the test ends only if the path is tried first.
TEST_F(CommandLine, TriesTheOutputBeforeTheWork) {
  folder_.write("file", "");
  const std::string nowhere = (folder_ / "file" / "x.json").string();
  expect_refused(concertina({"profile", model_, "--seconds", "36000", "--out", nowhere}),
                 "cannot write '" + nowhere);
  expect_refused(concertina({"profile", model_, "--seconds", "36000", "--out", folder_.path().string()}),
                 "is a folder");
  expect_refused(concertina({"tune", model_, "--rounds", "1000", "-r", "100000", "--out", nowhere}), nowhere);
}

TEST_F(CommandLine, SaysNoWithAnExitCodeOfItsOwn) {
  const std::string latency = table(1);
  const auto plan = [&](const char* at_most) {
    const std::string slo = folder_.write(
        "slo.toml", std::string("[[hard]]\nmetric = \"latency\"\nquantile = 0.99\nat_most = ") + at_most +
                        "\n[[state]]\nmachine = \"normal\"\n[[state]]\nmachine = \"hot\"\nslow_down = 2.0\n");
    return concertina({"plan", model_, "--slo", slo, "--latency-table", latency});
  };
  EXPECT_EQ(plan("40.0").exit_code, 0);
  const ProcessResult narrow = plan("0.5");
  expect_no(narrow, "no design keeps the bounds in 'hot'; the plan has the nearest");
  EXPECT_THAT(narrow.out, HasSubstr("The rules are in "));
  expect_refused(concertina({"plan", model_, "--slo", "none", "--latency-table", latency}), "none");
  // The last sub-net's logits are not what the trainer left.
  const ProcessResult verified = concertina({"verify", model_});
  expect_no(verified, "differs from the trainer");
  EXPECT_THAT(verified.out, HasSubstr("\nsub-net"));
}

TEST_F(CommandLine, WarnsOfATableThatWasMeasuredOnABusyMachine) {
  const std::vector<std::string> simulate = {"simulate", "-n",         "200",     "--policy",
                                             "fixed:0",  "--arrivals", "poisson", "--contention",
                                             "none",     "--json",     model_,    "--latency-table"};
  const auto with = [&](std::string latency) {
    std::vector<std::string> arguments = simulate;
    arguments.push_back(std::move(latency));
    return concertina(arguments);
  };
  const ProcessResult quiet = with(table(1));
  EXPECT_THAT(quiet.err, IsEmpty());
  EXPECT_EQ(json(quiet)[0]["measured_busy"], false);
  const ProcessResult busy = with(table(1, 75));
  EXPECT_THAT(busy.err, HasSubstr("one run in a hundred took 75.0 times as long as usual"));
  EXPECT_EQ(json(busy)[0]["measured_busy"], true);
}

TEST_F(CommandLine, SharesOfRequestsAddUp) {
  const auto list =
      json(concertina({"simulate", "-n", "500", "--load", "1.5", "--policy", "all", "--arrivals", "gamma:8",
                       "--contention", "none", "--latency-table", table(1), "--json", model_}));
  for (const auto& policy : list[0]["policies"]) {
    EXPECT_NEAR(policy["on_time_rate"].get<double>() + policy["late_rate"].get<double>() +
                    policy["shed_rate"].get<double>(),
                1, 1e-9)
        << policy;
    EXPECT_EQ(policy["shed_rate"].get<double>() * 500, policy["shed"].get<double>());
  }
}

TEST_F(CommandLine, ProfileTellsTheTimeLeftAndWhatTheMachineIsLike) {
  const ProcessResult profiled = concertina({"profile", model_, "--no-layers", "-t", "2", "-b", "1", "-x",
                                             std::to_string(usable_cores() + 1), "--json"});
  EXPECT_THAT(profiled.err, HasSubstr("measure sub-nets 0/2 s, 2 s left"));
  EXPECT_THAT(profiled.err, HasSubstr("warning: this process may use "));
  const auto printed = json(profiled);
  EXPECT_TRUE(printed["measured_busy"].is_boolean());
  EXPECT_TRUE(latency::LatencyTable::parse(profiled.out));
}

TEST_F(CommandLine, SoakSpeaksOfALoadOnlyIfThereWasOne) {
  const std::vector<std::string> soak = {"soak",       model_,    "-n",          "20",
                                         "--load",     "0.5",     "--policy",    "concertina",
                                         "--arrivals", "poisson", "--contention"};
  for (const char* contention : {"none", "step:1.8"}) {
    std::vector<std::string> arguments = soak;
    arguments.emplace_back(contention);
    const ProcessResult soaked = concertina(arguments);
    ASSERT_EQ(soaked.exit_code, 0) << soaked.err;
    EXPECT_EQ(soaked.out.find("A load of 1.8") != std::string::npos, contention != std::string("none"));
  }
}

// Each policy takes two seconds: 1000 requests at half of what runs of 1 ms can serve.
TEST_F(CommandLine, SoakPrintsWhatIsDoneWhenItIsInterrupted) {
  const std::string progress = folder_.write("progress", "");
  const ProcessResult soaked = run_process(
      {"/bin/sh", "-c",
       "exec " CONCERTINA_PROGRAM " soak " + model_ + " --latency-table " + table(1) +
           " -n 1000 --load 0.5 --policy fixed:3,fixed:0,fixed:1 --arrivals poisson --contention none 2>" +
           progress},
      [&] { return read_file(progress)->find("soak 1/3") != std::string::npos; }, 0, SIGINT);
  EXPECT_EQ(soaked.exit_code, -1);  // ended by a signal: 130 in a shell
  EXPECT_THAT(soaked.out,
              AllOf(HasSubstr("fixed:3"), Not(HasSubstr("fixed:0")), HasSubstr("It was interrupted")));
}

TEST_F(CommandLine, RefusesAClosedOutput) {
  const ProcessResult closed = shell(CONCERTINA_PROGRAM " inspect " + model_ + " >&-");
  expect_refused(closed, "the standard output is closed");
  EXPECT_EQ(shell(CONCERTINA_PROGRAM " inspect " + model_ + " 2>&- <&-").exit_code, 0);
}

TEST_F(CommandLine, DrawsOnlyOnTerminalsThatCan) {
  const auto on = [&](const std::string& kind) {
    const std::string command = "TERM=" + kind +
                                " script -qec '" CONCERTINA_PROGRAM " tune --rounds 1 -r 1 " + model_ +
                                "' /dev/null </dev/null";
    return shell(command).out;
  };
  EXPECT_THAT(on("xterm"), HasSubstr("\033[K"));
  EXPECT_THAT(on("dumb"), AllOf(HasSubstr("tune "), Not(HasSubstr("\033["))));
}

TEST_F(CommandLine, WatchNeedsAFolderWithProc) {
  expect_refused(concertina({"watch", "--once", "--root", folder_.path().string()}), "has no proc/");
  fs::create_directory(folder_ / "proc");
  EXPECT_EQ(concertina({"watch", "--once", "--root", folder_.path().string()}).exit_code, 0);
}

}  // namespace
}  // namespace concertina::testing
