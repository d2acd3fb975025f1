#include "training_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace concertina::bench {
namespace {

using ::testing::HasSubstr;

TrainingMeasurement measurement(Work work, double operations, double our_ms, double peer_ms) {
  TrainingMeasurement m;
  m.network = "resnet20";
  m.size = 32;
  m.work = work;
  m.precision = "bf16";
  m.batch = 64;
  m.operations = operations;
  m.times = {.ours = {our_ms, our_ms},
             .peer = {peer_ms, peer_ms},
             .ratio = 0.5,
             .ratio_low = 0.4,
             .ratio_high = 0.8};
  m.peak_gflops = 200;
  m.libtorch_kinds = 3;
  return m;
}

/// A full step at half the peak, and a sandwich of twice the work in three times the time.
TrainingReport report() {
  TrainingReport r{.machine = "A", .peer_version = "1", .units = {"AMX"}, .measurements = {}};
  r.measurements = {measurement(Work::full, 1e10, 100, 200), measurement(Work::sandwich, 2e10, 300, 600)};
  return r;
}

TEST(TrainingReport, DerivesRatesAndShares) {
  const TrainingReport r = report();
  EXPECT_DOUBLE_EQ(r.measurements[0].gflops(), 100);
  EXPECT_DOUBLE_EQ(r.measurements[0].share_of_peak(), 0.5);
  EXPECT_DOUBLE_EQ(r.measurements[0].images_per_second(r.measurements[0].times.ours), 640);
  EXPECT_DOUBLE_EQ(over_its_share(r, r.measurements[1]), 1.5);
}

TEST(TrainingReport, ASandwichWithoutItsFullStepHasNoShare) {
  TrainingReport r = report();
  r.measurements[0].precision = "fp32";
  EXPECT_EQ(over_its_share(r, r.measurements[1]), 0);
}

TEST(TrainingReport, ShowsHowManyTimesAsFast) {
  const std::string text = to_markdown(report());
  EXPECT_THAT(
      text,
      HasSubstr("| resnet20, 32x32 | full step | 640 | 320 | 2.00 (1.25 .. 2.50) | 3 | 100 | 50 % |  |"));
  EXPECT_THAT(text, HasSubstr("| sandwich step | 213 | 107 | 2.00 (1.25 .. 2.50) | 3 | 67 | 33 % | 1.50 |"));
  const auto json = nlohmann::json::parse(to_json(report()));
  EXPECT_DOUBLE_EQ(json["measurements"][0]["times_as_fast_low"], 1.25);
  EXPECT_EQ(json["measurements"][1]["work"], "sandwich step");
}

}  // namespace
}  // namespace concertina::bench
