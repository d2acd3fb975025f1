// Comparisons as a user runs them, of ways of training and of rankers, on a toy data set.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "programs/toy_pipeline.h"

namespace concertina::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class CompareTest : public ToyPipeline {};

TEST_F(CompareTest, ComparesArmsAtEqualBudgets) {
  ASSERT_TRUE(write_file(
      folder_ / "comparison.toml",
      "recipe = \"recipe.toml\"\nseeds = [1]\nbudget = 10.0\npoints = 3\nreferences = [\"us-net\"]\n"
      "[[arm]]\nname = \"ours\"\n"
      "[[arm]]\nname = \"warm\"\nsearch.method = \"uniform\"\n"
      "[[arm]]\nname = \"decoupled\"\nsearch.method = \"uniform\"\nnetwork.decoupled = true\n"
      "[[arm]]\nname = \"us-net\"\nsearch.method = \"uniform\"\npretrain.epochs = 0\n"
      "rank.method = \"none\"\njoint.start = \"scratch\"\n"));
  const auto compare = [&](const fs::path& out, const std::function<bool()>& kill_when = {}) {
    return run_process(train_command("compare", out, {"--json"}, "comparison.toml"), kill_when);
  };
  const ProcessResult first = compare(folder_ / "a");
  ASSERT_EQ(first.exit_code, 0) << first.err;
  const ProcessResult timed =
      run_process(train_command("compare", folder_ / "a", {"--json", "--measure", "0.1"}, "comparison.toml"));
  ASSERT_EQ(timed.exit_code, 0) << timed.err;
  const auto times = nlohmann::json::parse(timed.out);
  EXPECT_EQ(times["milliseconds_grid"].size(), 3u);
  EXPECT_THAT(times["milliseconds_of"].get<std::string>(), HasSubstr("measured on"));
  EXPECT_EQ(times["runs"][0]["subnets"][0]["milliseconds"], times["runs"][1]["subnets"][0]["milliseconds"])
      << "the full network of both";
  for (const auto& run : times["runs"]) {
    for (const auto& subnet : run["subnets"]) EXPECT_GT(subnet["milliseconds"].get<double>(), 0);
  }
  EXPECT_THAT(first.err, HasSubstr("rank: copied from"));
  const auto json = nlohmann::json::parse(first.out);
  ASSERT_EQ(json["runs"].size(), 4u);
  for (const auto& run : json["runs"]) {
    double macs = 0;
    for (const auto& cost : run["costs"]) macs += cost["macs"].get<double>();
    // Equal to within a step, and what drawn sub-nets differ from their mean.
    EXPECT_NEAR(macs / json["epoch_macs"].get<double>(), 10, 0.4) << run["arm"];
  }
  EXPECT_FALSE(json["arms"]["warm"]["macs"]["gains"]["us-net"]["at"][0].is_null());
  for (const char* file : {"comparison.json", "comparison.md", "comparison.svg"}) {
    EXPECT_TRUE(fs::exists(folder_ / "a" / file)) << file;
  }
  // Equal seeds give equal tables, killed or not; only the seconds differ. A finished comparison is not
  // trained again.
  const auto without_seconds = [](nlohmann::json comparison) {
    for (auto& run : comparison["runs"]) {
      for (auto& cost : run["costs"]) {
        cost.erase("seconds");
        cost.erase("waited_seconds");
      }
    }
    return comparison;
  };
  const auto joint_of_warm = [&] {
    return fs::exists(folder_ / "b" / "warm" / "seed-1" / "joint" / "checkpoint.pt");
  };
  EXPECT_EQ(compare(folder_ / "b", joint_of_warm).exit_code, -1);
  EXPECT_THAT(*read_file(folder_ / "b" / "comparison.md"),
              HasSubstr("3 of 4 runs are missing: warm seed 1, decoupled seed 1, us-net seed 1."));
  EXPECT_THAT(*read_file(folder_ / "a" / "comparison.md"), ::testing::Not(HasSubstr("missing")));
  const ProcessResult other = compare(folder_ / "b");
  EXPECT_EQ(without_seconds(nlohmann::json::parse(other.out)), without_seconds(json));
  const ProcessResult again = compare(folder_ / "a");
  EXPECT_EQ(again.out, first.out);
  EXPECT_THAT(again.err, HasSubstr("joint: done before"));

  // What was done elsewhere is not done again.
  const std::string done = (folder_ / "a" / "comparison.json").string();
  const ProcessResult joined =
      run_process(train_command("compare", folder_ / "c", {"--json", "--with", done}, "comparison.toml"), {});
  EXPECT_EQ(joined.out, first.out);
  EXPECT_FALSE(fs::exists(folder_ / "c" / "ours" / "seed-1" / "joint"));
  const ProcessResult unlike =
      run_process(train_command("compare", folder_ / "d",
                                {"--with", done, "--set", "search.end_fraction=0.5"}, "comparison.toml"),
                  {});
  EXPECT_EQ(unlike.exit_code, 2) << unlike.err;
  EXPECT_THAT(unlike.err, HasSubstr("compares at other sizes, by another measure, or another network"));
}

TEST_F(CompareTest, SearchesOnTheMillisecondsOfAMachine) {
  const fs::path table = folder_ / "net.latency.json";
  const auto profile = [&](const std::string& width) {
    return concertina({"profile", "resnet8", "--input", "1x16x16", "--classes", "3", "--width", width,
                       "--batch", "1", "--threads", "1", "--seconds", "1", "--json", "--out",
                       table.string()});
  };
  const auto compare = [&](const fs::path& out) {
    return run_process(train_command("compare", out, {"--json"}, "comparison.toml"));
  };
  ASSERT_TRUE(write_file(folder_ / "comparison.toml",
                         "recipe = \"recipe.toml\"\npoints = 3\nreferences = [\"macs\"]\nbudget = 12.0\n"
                         "[[arm]]\nname = \"macs\"\n"
                         "[[arm]]\nname = \"ms\"\nsearch.cost = \"latency\"\nsearch.latency_table = \"" +
                             table.string() + "\"\n"));
  const ProcessResult other = profile("1");
  ASSERT_EQ(other.exit_code, 0) << other.err;
  expect_refused(compare(folder_ / "none"), "measured on another network");

  const ProcessResult measured = profile("0.5");
  ASSERT_EQ(measured.exit_code, 0) << measured.err;
  auto json = nlohmann::json::parse(measured.out);
  EXPECT_EQ(json["subnets"].size(), 1u);  // a network that has not been made dynamic has one
  json["machine"]["cpu"] = "Elsewhere";
  ASSERT_TRUE(write_file(table, json.dump()));
  const ProcessResult result = compare(folder_ / "out");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("milliseconds are those of Elsewhere"));
  EXPECT_THAT(result.err, HasSubstr("not of this machine"));
  EXPECT_THAT(*read_file(folder_ / "out" / "ms" / "seed-1" / "search" / "journal.jsonl"),
              HasSubstr("Elsewhere"));
  const auto comparison = nlohmann::json::parse(result.out);
  EXPECT_EQ(comparison["milliseconds_grid"].size(), 3u);
  EXPECT_THAT(comparison["milliseconds_of"].get<std::string>(), HasSubstr("Elsewhere"));
  for (const auto& run : comparison["runs"]) {
    for (const auto& subnet : run["subnets"]) EXPECT_GT(subnet["milliseconds"].get<double>(), 0);
  }
  EXPECT_FALSE(
      comparison["arms"]["ms"]["milliseconds"]["gains"]["macs"]["at"][2].is_null());  // the full network
}

TEST_F(CompareTest, JudgesRankersByTrueRemovalLosses) {
  const fs::path out = folder_ / "run";
  const ProcessResult first = train("rankers", out, {"--json"});  // pretrains by itself
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_TRUE(fs::exists(out / "pretrain" / "done"));
  const auto judged = nlohmann::json::parse(first.out);
  ASSERT_EQ(judged.size(), 8u);
  for (const auto& one : judged) {
    EXPECT_LE(std::abs(one["channels"].get<double>()), 1) << one;
    EXPECT_EQ(one["by_dimension"].size(), 6u);
  }
  EXPECT_EQ(judged[0]["ranker"], "noise-log_barrier");
  EXPECT_EQ(judged[1]["ranker"], "noise-plain");
  EXPECT_NE(judged[0]["by_dimension"], judged[1]["by_dimension"]);
  EXPECT_GT(judged[0]["macs"].get<double>(), 0);
  // Measured removals are kept: the second time everything is known.
  const std::string removals = *read_file(out / "rankers/removals.jsonl");
  EXPECT_EQ(train("rankers", out, {"--json"}).out, first.out);
  EXPECT_EQ(*read_file(out / "rankers/removals.jsonl"), removals);
  // Those of another network are not.
  const std::vector<std::string> other = {"--set", "pretrain.epochs=1"};
  ASSERT_EQ(train("rankers", out, other).exit_code, 0);
  EXPECT_NE(*read_file(out / "rankers/removals.jsonl"), removals);
  EXPECT_EQ(*read_file(out / "rankers.previous/removals.jsonl"), removals);
}

}  // namespace
}  // namespace concertina::testing
