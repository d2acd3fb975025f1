#include "supervisor/kernel_files.h"

#include <gtest/gtest.h>

#include <string>

namespace concertina::supervisor {
namespace {

TEST(KernelFiles, Pressure) {
  const auto pressure = parse_pressure(
      "some avg10=12.50 avg60=2.50 avg300=5.35 total=11599239507\n"
      "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
  EXPECT_EQ(pressure, (Pressure{.avg10 = 0.125, .avg60 = 0.025, .waited_us = 11599239507}));
  for (const char* damaged :
       {"", "\n", "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n", "some",
        "some avg10=101 avg60=0.00 avg300=0.00 total=0\n", "some avg10=nan avg60=0.00 avg300=0.00 total=0\n",
        "some avg10=-1 avg60=0.00 avg300=0.00 total=0\n", "some avg10=1 avg60=0.00 avg300=0.00 total=-4\n",
        "some avg10=1 avg60=0.00 avg300=0.00 total=99999999999999999999\n",
        "some avg60=1 avg10=0.00 avg300=0.00 total=4\n"}) {
    EXPECT_FALSE(parse_pressure(damaged)) << damaged;
  }
}

TEST(KernelFiles, CpuStatOfBothVersions) {
  const Throttling expected{.periods = 20, .throttled = 3, .held = Time(7'000)};
  EXPECT_EQ(parse_cpu_stat("usage_usec 5\nnr_periods 20\nnr_throttled 3\nthrottled_usec 7\n"), expected);
  EXPECT_EQ(parse_cpu_stat("nr_periods 20\nnr_throttled 3\nthrottled_time 7000\n"), expected);
  // Without the controller there is the first part only.
  EXPECT_FALSE(parse_cpu_stat("usage_usec 5\nuser_usec 4\nsystem_usec 1\n"));
  EXPECT_FALSE(parse_cpu_stat("nr_periods 20\nnr_throttled x\nthrottled_usec 7\n"));
  const auto endless = parse_cpu_stat("nr_periods 20\nnr_throttled 3\nthrottled_usec 18446744073709551615\n");
  ASSERT_TRUE(endless);
  EXPECT_EQ(endless->held, Time::max());
}

TEST(KernelFiles, CpuMax) {
  EXPECT_EQ(parse_cpu_max("150000 100000\n"), 1.5);
  for (const char* unlimited : {"max 100000\n", "", "150000\n", "0 100000\n", "150000 0\n", "-1 100000\n"})
    EXPECT_FALSE(parse_cpu_max(unlimited)) << unlimited;
  EXPECT_EQ(cpus_of(50'000, 100'000), 0.5);
  EXPECT_FALSE(cpus_of(-1, 100'000));
  EXPECT_FALSE(cpus_of(50'000, std::nullopt));
}

TEST(KernelFiles, CgroupPaths) {
  EXPECT_EQ(parse_cgroup("0::/user.slice/a.scope\n"),
            (CgroupPaths{.v1_cpu = {}, .v2 = "user.slice/a.scope"}));
  EXPECT_EQ(parse_cgroup("4:cpuacct,cpu:/docker/1\n3:cpuset:/other\n0::/\n"),
            (CgroupPaths{.v1_cpu = "docker/1", .v2 = ""}));
  EXPECT_EQ(parse_cgroup("1:name=systemd:/a:b\n2:cpuset:/\n"), CgroupPaths());
  EXPECT_EQ(parse_cgroup("0::/a:b\n").v2, "a:b");
}

TEST(KernelFiles, CgroupPathsStayBelowTheirMount) {
  EXPECT_EQ(parse_cgroup("0:://etc//passwd\n").v2, "etc/passwd");
  for (const char* escape : {"0::/../../etc\n", "0::/a/..\n", "0::a\n", "0::\n", "0:\n", ":::\n"})
    EXPECT_FALSE(parse_cgroup(escape).v2) << escape;
  EXPECT_FALSE(parse_cgroup(std::string("0::/a\0b\n", 8)).v2);
}

TEST(KernelFiles, Schedstat) {
  EXPECT_EQ(parse_schedstat("6138 1402 3\n"), (ProcessorTime{.ran_ns = 6138, .waited_ns = 1402}));
  for (const char* damaged : {"", "6138\n", "6138 1402\n", "6138 -1 3\n", "a b c\n", "1 2 3 4\n"})
    EXPECT_FALSE(parse_schedstat(damaged)) << damaged;
}

TEST(KernelFiles, Numbers) {
  EXPECT_EQ(parse_integer("-42\n"), -42);
  for (const char* damaged : {"", "\n", " 1", "1 ", "1\n2\n", "0x1", "9223372036854775808", "1.5"})
    EXPECT_FALSE(parse_integer(damaged)) << damaged;
  EXPECT_EQ(parse_temperature("61500\n"), 61.5);
  EXPECT_FALSE(parse_temperature("-274000\n"));
  EXPECT_FALSE(parse_temperature("4294967295\n"));
}

TEST(KernelFiles, Words) {
  EXPECT_EQ(parse_word("INT3400 Thermal\n"), "INT3400 Thermal");
  EXPECT_FALSE(parse_word("\n"));
  EXPECT_FALSE(parse_word("a\nb\n"));
  EXPECT_FALSE(parse_word("\x1b[2J\n"));
  EXPECT_FALSE(parse_word(std::string(65, 'a')));
}

}  // namespace
}  // namespace concertina::supervisor
