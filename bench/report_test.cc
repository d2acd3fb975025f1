#include "report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace concertina::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Measurement measured(const std::string& subnet, int threads, double ratio) {
  return {.network = "resnet20",
          .size = 32,
          .subnet = subnet,
          .widths = "16-16",
          .macs = 50'000'000,
          .batch = 2,
          .threads = threads,
          .times = {.ours = {.median_ms = 2 * ratio, .p99_ms = 3},
                    .peer = {.median_ms = 2, .p99_ms = 4},
                    .ratio = ratio,
                    .ratio_low = ratio - 0.1,
                    .ratio_high = ratio + 0.1},
          .difference = 1e-7,
          .peak_gflops = 200};
}

PeerReport small_report() {
  return {.machine = "abacus",
          .our_target = "AVX3",
          .peer_version = "1.2.3",
          .measurements = {measured("x1", 1, 0.5), measured("x0.5", 1, 0.8), measured("x1", 2, 1.25)},
          .loading = {},
          .switching = {},
          .denormals = {},
          .bf16_unit = {},
          .rounding = {},
          .int8_unit = "AVX2",
          .int8 = {}};
}

TEST(Report, GivesTheGeometricMeanOfEachNumberOfThreads) {
  const std::string text = to_markdown(small_report());
  EXPECT_THAT(text, HasSubstr("| 1 | 2 | 2 | 0.632 | 0.800 |"));  // sqrt(0.5 * 0.8)
  EXPECT_THAT(text, HasSubstr("| 2 | 2 | 1 | 1.250 | 1.250 |"));
}

TEST(Report, GivesSpeedAndShareOfThePeak) {
  const Measurement one = measured("x1", 1, 0.5);
  EXPECT_DOUBLE_EQ(one.gflops(), 200);  // 2 * 50e6 * 2 in 1 ms
  EXPECT_DOUBLE_EQ(one.share_of_peak(), 1);
  EXPECT_DOUBLE_EQ(measured("x1", 2, 0.5).share_of_peak(), 0.5);
  EXPECT_THAT(
      to_markdown(small_report()),
      HasSubstr("| x1 | 50.0 | 1.000 | 3.000 | 2.000 | 4.000 | 0.500 (0.400 .. 0.600) | 200 | 100 % |"));
}

TEST(Report, LeavesOutWhatWasNotMeasured) {
  const std::string text = to_markdown(small_report());
  EXPECT_THAT(text, Not(HasSubstr("## All sizes ready")));
  EXPECT_THAT(text, Not(HasSubstr("## Switching")));
  EXPECT_THAT(text, Not(HasSubstr("## Denormal numbers")));
  EXPECT_THAT(text, Not(HasSubstr("## bfloat16")));
  EXPECT_THAT(text, Not(HasSubstr("## int8")));
}

TEST(Report, HoldsEverythingThatWasMeasured) {
  PeerReport report = small_report();
  report.loading.push_back({.network = "resnet20", .size = 32, .our_ms = 3, .cached_ms = 2, .peer_ms = 30});
  report.switching.push_back({.network = "resnet20", .size = 32, .subnet = "x1", .ratio = 1.01});
  report.denormals.push_back({.network = "resnet20", .size = 32, .times = measured("x1", 1, 1.02).times});
  report.bf16_unit = "AMX";
  report.rounding.push_back({.network = "resnet20",
                             .size = 32,
                             .subnet = "x1",
                             .times = measured("x1", 1, 0.25).times,
                             .difference = 1e-3,
                             .packed_megabytes = 2});
  const std::string text = to_markdown(report);
  EXPECT_THAT(text, HasSubstr("| resnet20, 32x32 | 3.0 | 2.0 | 30.0 |"));
  EXPECT_THAT(text, HasSubstr("| resnet20, 32x32 | x1 | 1.010 |"));
  EXPECT_THAT(text, HasSubstr("| resnet20, 32x32 | 1.020 ("));
  EXPECT_THAT(
      text,
      HasSubstr("| resnet20, 32x32 | 1 | 1 | x1 | 2.000 | 0.500 | 4.00 (2.86 .. 6.67) | 1.0e-03 | 2.00 |"));
  const auto json = nlohmann::json::parse(to_json(report));
  EXPECT_EQ(json["measurements"].size(), 3u);
  EXPECT_EQ(json["measurements"][1]["ratio"], 0.8);
  EXPECT_EQ(json["loading"][0]["peer_ms"], 30);
  EXPECT_EQ(json["switching"][0]["ratio"], 1.01);
  EXPECT_EQ(json["denormals"][0]["ratio"], 1.02);
  EXPECT_EQ(json["rounding"][0]["bf16_median_ms"], 0.5);
  EXPECT_EQ(json["bf16_unit"], "AMX");
}

EightBits eight_bits(const std::string& network, const std::string& subnet, double to_peer, double to_fp32) {
  return {.network = network,
          .size = 32,
          .subnet = subnet,
          .batch = 2,
          .threads = 1,
          .against_peer = measured(subnet, 1, to_peer).times,
          .against_fp32 = measured(subnet, 1, to_fp32).times,
          .difference = 1e-2,
          .peer_difference = 3e-2,
          .packed_megabytes = 0.5,
          .fp32_packed_megabytes = 2};
}

TEST(Report, ComparesInt8WithThePeerAndWithFp32) {
  PeerReport report = small_report();
  report.measurements[0].times.peer.median_ms = 3;
  report.int8 = {eight_bits("resnet20", "x1", 0.5, 0.4), eight_bits("resnet20", "x0.25", 0.72, 0.9),
                 eight_bits("vgg11", "x1", 0.75, 0.6)};
  const std::string text = to_markdown(report);
  EXPECT_THAT(text, HasSubstr("with `--precision int8`, on AVX2;"));
  EXPECT_THAT(text, HasSubstr("| resnet20, 32x32 | 2 | 0.600 | 1.67 |"));
  EXPECT_THAT(text, HasSubstr("| vgg11, 32x32 | 1 | 0.750 | 1.67 |"));
  EXPECT_THAT(text, HasSubstr("| all | 3 | 0.646 | 1.67 |"));  // (0.5 * 0.72 * 0.75)^(1/3)
  EXPECT_THAT(text, HasSubstr("| resnet20, 32x32 | 1 | 2 | x1 | 1.000 | 2.000 | 0.500 (0.400 .. 0.600) | "
                              "2.50 (2.00 .. 3.33) | 1.50 | 1.0e-02 | 3.0e-02 | 0.50 | 2.00 |"));
  // No run of this sub-net in fp32.
  EXPECT_THAT(text, HasSubstr("| 1.11 (1.00 .. 1.25) | - | 1.0e-02 |"));
  const auto json = nlohmann::json::parse(to_json(report));
  EXPECT_EQ(json["int8_unit"], "AVX2");
  ASSERT_EQ(json["int8"].size(), 3u);
  EXPECT_EQ(json["int8"][0]["ratio"], 0.5);
  EXPECT_EQ(json["int8"][0]["ratio_to_fp32"], 0.4);
  EXPECT_EQ(json["int8"][2]["peer_relative_difference"], 3e-2);
  EXPECT_EQ(json["int8"][2]["fp32_packed_megabytes"], 2);
}

TEST(Report, ExplainsNoColumnsThatItLacks) {
  PeerReport report = small_report();
  report.measurements.clear();
  report.int8 = {eight_bits("resnet20", "x1", 0.5, 0.4)};
  const std::string text = to_markdown(report);
  EXPECT_THAT(text, Not(HasSubstr("of the peak")));
  EXPECT_THAT(text, HasSubstr("## int8"));
}

}  // namespace
}  // namespace concertina::bench
