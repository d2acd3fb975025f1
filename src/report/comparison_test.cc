#include "report/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "report/comparison_report.h"
#include "testing/temporary_folder.h"

namespace concertina::report {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// Sub-nets of 1, 2 and 4 MACs (or 10, 20, 40 parameters) with the given accuracies.
MeasuredRun run(const std::string& arm, int seed, double smallest, double middle, double largest) {
  return {.arm = arm,
          .seed = seed,
          .subnets = {{Subnet{{4}}, 4, 40, largest, 0, 0.9},
                      {Subnet{{2}}, 2, 20, middle, 0, 0.8},
                      {Subnet{{1}}, 1, 10, smallest, 0, 0.6}},
          .costs = {{"joint", 100, 600, 2.5, seed == 1 ? "cpu" : "cuda:0"}}};
}

MeasuredComparison example() {
  return {.runs = {run("us-net", 1, 0.5, 0.6, 0.7), run("us-net", 2, 0.6, 0.7, 0.8),
                   run("ours", 1, 0.5, 0.7, 0.72), run("ours", 2, 0.6, 0.78, 0.82)},
          .references = {"us-net"},
          .macs_grid = {1, 2, 4},
          .parameter_grid = {5, 20, 40},
          .epoch_macs = 300};
}

TEST(LogGrid, IsEvenInLogAndHitsBothEnds) {
  const auto grid = log_grid(3, 81, 4);
  EXPECT_THAT(grid, ElementsAre(3, DoubleNear(9, 1e-9), DoubleNear(27, 1e-9), 81));
}

TEST(AccuracyAt, InterpolatesInLogSizeAndNeverOutside) {
  const MeasuredRun one = run("a", 1, 0.5, 0.6, 0.8);
  EXPECT_DOUBLE_EQ(*accuracy_at(one, SizeAxis::macs, 2), 0.6);
  EXPECT_NEAR(*accuracy_at(one, SizeAxis::macs, std::sqrt(8.0)), 0.7, 1e-12);
  EXPECT_NEAR(*accuracy_at(one, SizeAxis::parameters, std::sqrt(200.0)), 0.55, 1e-12);
  EXPECT_FALSE(accuracy_at(one, SizeAxis::macs, 0.99));
  EXPECT_FALSE(accuracy_at(one, SizeAxis::macs, 4.01));
}

TEST(Gains, ArePairedBySeed) {
  const Gains g = gains(example(), "ours", "us-net", SizeAxis::macs);
  ASSERT_EQ(g.at.size(), 3u);
  EXPECT_NEAR(g.at[0].mean, 0, 1e-12);
  EXPECT_NEAR(g.at[1].mean, 0.09, 1e-12);         // 0.10 and 0.08
  EXPECT_NEAR(g.at[1].deviation, 0.01414, 1e-5);  // not that of the accuracies themselves, 0.057
  EXPECT_EQ(g.points, 3);
  EXPECT_NEAR(g.mean.mean, 0.11 / 3, 1e-12);
  EXPECT_NEAR(g.mean.deviation, 0.004714, 1e-6);  // of 0.12 / 3 and 0.10 / 3
  EXPECT_NEAR(g.interior_mean.mean, 0.09, 1e-12);
  EXPECT_NEAR(g.small_mean.mean, 0, 1e-12);
  EXPECT_NEAR(g.large_mean.mean, 0.02, 1e-12);
  EXPECT_NEAR(g.least, 0, 1e-12);
}

TEST(Gains, LeaveOutWhatOneSideDoesNotReach) {
  const Gains g = gains(example(), "ours", "us-net", SizeAxis::parameters);
  EXPECT_EQ(g.at[0].count, 0);
  EXPECT_EQ(g.points, 2);
  EXPECT_NEAR(g.mean.mean, (0.09 + 0.02) / 2, 1e-12);
}

TEST(Gains, CompareOnlySizesThatAllSeedsReach) {
  MeasuredComparison comparison = example();
  comparison.runs[2].subnets.pop_back();  // ours, seed 1, has no sub-net of 1 MAC
  const Gains g = gains(comparison, "ours", "us-net", SizeAxis::macs);
  EXPECT_EQ(g.at[0].count, 1);
  EXPECT_EQ(g.points, 2);
  EXPECT_NEAR(g.mean.mean, (0.09 + 0.02) / 2, 1e-12);
  const std::string markdown = to_markdown(comparison);
  EXPECT_THAT(markdown, HasSubstr("| ours | 60.00 (1 of 2 seeds) | 74.00 ± 5.66 |"));
  EXPECT_THAT(markdown, HasSubstr("| 2 of 3 | 2 |"));
}

TEST(Report, CountsGainsOverEveryReference) {
  MeasuredComparison comparison = example();
  comparison.references = {"us-net", "ours"};
  const std::string markdown = to_markdown(comparison);
  EXPECT_THAT(markdown, HasSubstr("| gain over us-net |"));
  EXPECT_THAT(markdown, HasSubstr("| gain over ours |"));
  const auto json = nlohmann::json::parse(to_json(comparison));
  EXPECT_NEAR(json["arms"]["us-net"]["macs"]["gains"]["ours"]["mean"]["mean"].get<double>(), -0.11 / 3,
              1e-12);
}

TEST(Area, IsTheMeanOverLogSize) {
  const Spread a = area(example(), "us-net", SizeAxis::macs);
  EXPECT_EQ(a.count, 2);
  EXPECT_NEAR(a.mean, (0.6 + 0.7) / 2, 1e-12);
  EXPECT_EQ(area(example(), "us-net", SizeAxis::parameters).count, 0);  // no run reaches 5 parameters
  EXPECT_NEAR(validation_area(example(), "us-net", SizeAxis::macs).mean, (0.7 + 0.85) / 2, 1e-12);
}

TEST(Report, HoldsEveryRunAndWhatFollowsFromThem) {
  const auto json = nlohmann::json::parse(to_json(example()));
  EXPECT_EQ(json["runs"].size(), 4u);
  EXPECT_NEAR(json["arms"]["ours"]["macs"]["gains"]["us-net"]["mean"]["mean"].get<double>(), 0.11 / 3, 1e-12);
  EXPECT_TRUE(json["arms"]["ours"]["parameters"]["gains"]["us-net"]["at"][0].is_null());
  EXPECT_FALSE(json["arms"]["us-net"]["macs"].contains("gains"));

  const std::string markdown = to_markdown(example());
  EXPECT_THAT(markdown, HasSubstr("| us-net | 55.00 ± 7.07 | 65.00 ± 7.07 | 75.00 ± 7.07 |"));
  EXPECT_THAT(markdown, HasSubstr("| gain over us-net | mean | interior |"));
  EXPECT_THAT(
      markdown,
      HasSubstr(
          "| ours | +3.67 ± 4.24 | +9.00 ± 12.71 | +0.00 ± 0.00 | +2.00 ± 0.00 | +0.00 | 3 of 3 | 2 |"));
  EXPECT_THAT(markdown, HasSubstr("Device: cpu; cuda:0."));
  EXPECT_THAT(markdown, HasSubstr("| ours | 2.00 | 2.00 |"));  // 600 of 300 MACs
}

TEST(Report, IsReadAsItWasWritten) {
  MeasuredComparison comparison = example();
  comparison.milliseconds_grid = {0.1, 0.2};
  comparison.milliseconds_of = "a machine";
  comparison.measure = "agreement";
  for (MeasuredSubnet& one : comparison.runs[0].subnets) one.milliseconds = one.macs / 30;
  const testing::TestFolder folder;
  const std::string written = to_json(comparison);
  const auto read = read_comparison(folder.write("comparison.json", written));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(to_json(*read), written);
  EXPECT_EQ(read->measure, "agreement");
  EXPECT_THAT(to_markdown(*read), HasSubstr("| agreement, % |"));
  const std::string line = " \"measure\": \"agreement\",\n";
  std::string older = written;
  older.erase(older.find(line), line.size());
  EXPECT_EQ(read_comparison(folder.write("older.json", older))->measure, "top-1");

  EXPECT_THAT(read_comparison(folder / "none.json").error().message, HasSubstr("none.json"));
  for (const std::string& text :
       {written.substr(0, written.size() / 2), std::string("{}"), std::string("[1]")}) {
    EXPECT_THAT(read_comparison(folder.write("bad.json", text)).error().message,
                HasSubstr("is no comparison.json, or it is damaged"));
  }
}

TEST(Report, ExplainsItsColumnsAndSaysWhatIsMissing) {
  MeasuredComparison comparison = example();
  const std::string whole = to_markdown(comparison);
  for (const char* column :
       {"`area`", "`validation`", "`mean`", "`interior`", "`small sizes`", "`large sizes`", "`least`"})
    EXPECT_THAT(whole, HasSubstr(column));
  EXPECT_THAT(whole, Not(HasSubstr("missing")));
  EXPECT_FALSE(nlohmann::json::parse(to_json(comparison)).contains("missing"));

  comparison.missing = {{"us-net", 3}, {"ours", 3}};
  EXPECT_THAT(to_markdown(comparison), HasSubstr("2 of 6 runs are missing: us-net seed 3, ours seed 3."));
  EXPECT_EQ(nlohmann::json::parse(to_json(comparison))["missing"][1]["arm"], "ours");
}

TEST(Report, ComparesAtEqualMillisecondsIfTheyAreKnown) {
  MeasuredComparison comparison = example();
  EXPECT_THAT(to_markdown(comparison), Not(HasSubstr("milliseconds")));
  EXPECT_THAT(to_svg(comparison), Not(HasSubstr("milliseconds")));
  for (MeasuredRun& run : comparison.runs) {
    for (MeasuredSubnet& subnet : run.subnets) subnet.milliseconds = 0.5 * subnet.macs;
    if (run.arm == "ours") run.subnets[1].milliseconds = 0.5;  // as fast as the one of 1 MAC
    if (run.arm == "ours") run.subnets.pop_back();
  }
  comparison.milliseconds_grid = {0.5, 1, 2};
  comparison.milliseconds_of = "a machine";
  EXPECT_NEAR(gains(comparison, "ours", "us-net", SizeAxis::milliseconds).at[0].mean, 0.19,
              1e-12);  // 0.20 and 0.18
  EXPECT_EQ(gains(comparison, "ours", "us-net", SizeAxis::macs).at[0].count, 0);
  const auto json = nlohmann::json::parse(to_json(comparison));
  EXPECT_EQ(json["milliseconds_of"], "a machine");
  EXPECT_EQ(json["runs"][0]["subnets"][0]["milliseconds"], 2);
  EXPECT_NEAR(json["arms"]["ours"]["milliseconds"]["gains"]["us-net"]["at"][0]["mean"].get<double>(), 0.19,
              1e-12);
  EXPECT_THAT(to_markdown(comparison), HasSubstr("At equal milliseconds, a machine:"));
  EXPECT_THAT(to_markdown(comparison), HasSubstr("0.5 ms | 1 ms | 2 ms"));
  EXPECT_THAT(to_svg(comparison), HasSubstr("Accuracy over milliseconds"));
}

}  // namespace
}  // namespace concertina::report
