// Trees of recorded/, whose README says which were recorded and which written.

#include "supervisor/signals.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "testing/temporary_folder.h"

namespace concertina::supervisor {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;
using ::testing::SizeIs;

fs::path recorded(const char* name) {
  return fs::path(CONCERTINA_SOURCE_DIR "/src/supervisor/recorded") / name;
}

Signals signals_of(const char* name) {
  return SignalReader(recorded(name)).read();
}

const Temperature& sensor(const Signals& signals, const std::string& name) {
  static const Temperature missing;
  for (const Temperature& t : signals.temperatures) {
    if (t.sensor == name) return t;
  }
  ADD_FAILURE() << "no sensor " << name;
  return missing;
}

class Scratch : public ::testing::Test {
 protected:
  void copy(const char* name) {
    fs::copy(recorded(name), root_.path(), fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  }
  void put(const std::string& file, std::string_view text) { root_.write(file, text); }

  const testing::TestFolder root_;
};

TEST(Signals, OfAVirtualMachine) {
  const Signals signals = signals_of("vm");
  ASSERT_TRUE(signals.pressure);
  EXPECT_GT(signals.pressure->waited_us, 0u);
  EXPECT_GT(signals.process->waited_ns, 0u);
  EXPECT_FALSE(signals.cgroup.cpus);
  EXPECT_EQ(signals.cgroup.throttling, Throttling());
  EXPECT_TRUE(signals.cgroup.pressure);
  EXPECT_THAT(signals.temperatures, IsEmpty());
  EXPECT_FALSE(signals.frequency);
  EXPECT_FALSE(signals.power.mains);
}

TEST(Signals, OfThisProcess) {
  const SignalReader reader;
  const auto before = reader.read().process;
  if (!before) GTEST_SKIP() << "the kernel keeps no scheduler statistics";
  // Reading takes time itself; this ends when that is seen.
  while (reader.read().process->ran_ns <= before->ran_ns) {
  }
}

TEST_F(Scratch, AllThreadsOfTheProcessCount) {
  put("proc/42/task/42/schedstat", "1000 20 1\n");
  put("proc/42/task/43/schedstat", "5000 30 9\n");
  put("proc/42/task/44/schedstat", "damaged\n");
  put("proc/42/cgroup", "0::/box\n");
  put("sys/fs/cgroup/box/cpu.max", "100000 100000\n");
  const Signals signals = SignalReader(root_, "42").read();
  EXPECT_EQ(signals.process, (ProcessorTime{.ran_ns = 6000, .waited_ns = 50}));
  EXPECT_EQ(signals.cgroup.cpus, 1);
  EXPECT_FALSE(SignalReader(root_).read().process);
}

TEST(Signals, OfALaptop) {
  const Signals signals = signals_of("laptop");
  EXPECT_EQ(signals.cgroup.pressure->avg10, 0.0042);
  EXPECT_FALSE(signals.cgroup.throttling);
  EXPECT_EQ(sensor(signals, "acpitz").critical, 105);
  EXPECT_FALSE(sensor(signals, "acpitz").processor);
  EXPECT_TRUE(sensor(signals, "x86_pkg_temp").processor);
  EXPECT_FALSE(sensor(signals, "x86_pkg_temp").passive);  // only notifies
  EXPECT_EQ(sensor(signals, "coretemp").now, 61);
  EXPECT_EQ(sensor(signals, "coretemp").critical, 100);
  EXPECT_THAT(signals.temperatures, SizeIs(6));  // five zones and the package, but no core and no disk
  ASSERT_TRUE(signals.frequency);
  EXPECT_EQ(signals.frequency->mhz, 1803);
  EXPECT_EQ(signals.frequency->allowed, 1);
  EXPECT_EQ(signals.frequency->driver, "intel_pstate");
  EXPECT_EQ(signals.frequency->preference, "balance_performance");
  ASSERT_THAT(signals.power.packages, SizeIs(1));
  EXPECT_EQ(signals.power.packages[0].microjoules, 58210335671u);
  EXPECT_EQ(signals.power.packages[0].range, 262143328850u);
  EXPECT_EQ(signals.power.mains, true);
  EXPECT_EQ(signals.power.battery, 0.79);  // not the mouse's
  EXPECT_EQ(signals.power.profile, "balanced");
}

TEST(Signals, OfARaspberryPi) {
  const Signals signals = signals_of("raspberry_pi_4");
  EXPECT_FALSE(signals.pressure);
  EXPECT_FALSE(signals.cgroup.pressure);
  EXPECT_FALSE(signals.cgroup.cpus);
  EXPECT_TRUE(sensor(signals, "cpu-thermal").processor);
  EXPECT_EQ(sensor(signals, "cpu-thermal").critical, 90);
  EXPECT_EQ(signals.frequency->governor, "ondemand");
  EXPECT_THAT(signals.power.packages, IsEmpty());
}

TEST(Signals, OfAContainer) {
  const Signals signals = signals_of("container_v2/before");
  EXPECT_EQ(signals.cgroup.cpus, 2);
  ASSERT_TRUE(signals.cgroup.throttling);
  EXPECT_EQ(signals.cgroup.throttling->periods, 18210u);
  EXPECT_EQ(signals.cgroup.throttling->throttled, 44u);
  EXPECT_EQ(signals.cgroup.throttling->held, from_ms(2210.433));
  EXPECT_EQ(signals.cgroup.pressure->waited_us, 41207733u);
}

// /proc/self/cgroup names the container as the host sees it; inside, the mount is the container's.
TEST(Signals, OfAContainerOfCgroupVersion1) {
  const Signals signals = signals_of("container_v1");
  EXPECT_EQ(signals.cgroup.cpus, 1.5);
  EXPECT_EQ(signals.cgroup.throttling, (Throttling{5120, 301, Time(18220417733)}));
}

TEST_F(Scratch, NothingThereIsNoError) {
  for (const fs::path& root : {root_.path(), root_ / "missing"}) {
    const Signals signals = SignalReader(root).read();
    EXPECT_FALSE(signals.pressure);
    EXPECT_FALSE(signals.cgroup.throttling);
    EXPECT_THAT(signals.temperatures, IsEmpty());
    EXPECT_FALSE(signals.frequency);
    EXPECT_EQ(signals.power.profile, "");
  }
}

TEST_F(Scratch, TheTightestQuotaAboveTheProcessCounts) {
  put("proc/self/cgroup", "0::/pod/box\n");
  put("sys/fs/cgroup/pod/cpu.max", "100000 100000\n");
  put("sys/fs/cgroup/pod/cpu.stat", "nr_periods 9\nnr_throttled 4\nthrottled_usec 1\n");
  put("sys/fs/cgroup/pod/box/cpu.max", "200000 100000\n");
  put("sys/fs/cgroup/pod/box/cpu.stat", "nr_periods 9\nnr_throttled 0\nthrottled_usec 0\n");
  const Signals signals = SignalReader(root_).read();
  EXPECT_EQ(signals.cgroup.cpus, 1);
  EXPECT_EQ(signals.cgroup.throttling->throttled, 4u);
}

TEST_F(Scratch, ACgroupOutsideOfTheContainerIsTheMount) {
  put("proc/self/cgroup", "0::/kubepods/pod7\n");
  put("sys/fs/cgroup/cpu.pressure", "some avg10=50.00 avg60=0.00 avg300=0.00 total=1\n");
  put("sys/fs/cgroup/cpu.stat", "nr_periods 9\nnr_throttled 4\nthrottled_usec 1\n");
  const Signals signals = SignalReader(root_).read();
  EXPECT_TRUE(signals.cgroup.pressure);
  EXPECT_TRUE(signals.cgroup.throttling);
}

TEST_F(Scratch, ABatteryOfAMouseIsNotTheMachines) {
  put("sys/class/power_supply/hid/type", "Battery\n");
  put("sys/class/power_supply/hid/scope", "Device\n");
  put("sys/class/power_supply/hid/capacity", "5\n");
  EXPECT_FALSE(SignalReader(root_).read().power.battery);
  put("sys/class/power_supply/BAT1/type", "Battery\n");
  put("sys/class/power_supply/BAT1/capacity", "70\n");
  EXPECT_EQ(SignalReader(root_).read().power.battery, 0.7);
}

TEST_F(Scratch, WhatDisappearsIsMissing) {
  copy("laptop");
  const SignalReader reader(root_);
  ASSERT_THAT(reader.read().temperatures, SizeIs(6));
  fs::remove_all(root_ / "sys");
  const Signals signals = reader.read();
  EXPECT_TRUE(signals.pressure);
  EXPECT_THAT(signals.temperatures, IsEmpty());
  EXPECT_FALSE(signals.frequency->allowed);
  EXPECT_THAT(signals.power.packages, IsEmpty());
  EXPECT_FALSE(signals.power.mains);
}

TEST_F(Scratch, DamagedFilesAreMissing) {
  copy("laptop");
  put("proc/pressure/cpu", "some avg10=\xff\n");
  put("sys/class/hwmon/hwmon5/temp1_input", "hot\n");
  put("sys/class/hwmon/hwmon5/temp1_crit", "");
  put("sys/class/power_supply/BAT0/capacity", "240\n");
  put("sys/class/power_supply/AC/online", std::string(100'000, '1'));
  put("sys/firmware/acpi/platform_profile", "\x1b]0;gotcha\n");
  fs::remove(root_ / "sys/devices/system/cpu/cpufreq/policy0/scaling_driver");
  fs::create_directory(root_ / "sys/devices/system/cpu/cpufreq/policy0/scaling_driver");
  const Signals signals = SignalReader(root_).read();
  EXPECT_FALSE(signals.pressure);
  EXPECT_THAT(signals.temperatures, SizeIs(5));
  EXPECT_FALSE(signals.power.battery);
  EXPECT_EQ(signals.power.mains, false);  // what the USB port says
  EXPECT_EQ(signals.power.profile, "");
  EXPECT_EQ(signals.frequency->driver, "");
}

TEST_F(Scratch, ManyPoliciesAreReadAtEvenDistances) {
  for (int i = 0; i < 64; ++i) {
    const std::string policy = "sys/devices/system/cpu/cpufreq/policy" + std::to_string(i);
    put(policy + "/cpuinfo_max_freq", "4000000\n");
    put(policy + "/scaling_max_freq", i < 32 ? "2000000\n" : "4000000\n");
  }
  EXPECT_EQ(SignalReader(root_).read().frequency->allowed, 0.75);
}

}  // namespace
}  // namespace concertina::supervisor
