#include "supervisor/meter.h"

#include <gmock/gmock.h>

namespace concertina::supervisor {
namespace {

using ::testing::HasSubstr;

using namespace std::chrono_literals;

Temperature sensor(const char* name, bool processor, double now, std::optional<double> passive = {},
                   std::optional<double> critical = {}) {
  return {.sensor = name, .processor = processor, .now = now, .passive = passive, .critical = critical};
}

TEST(Meter, PressureIsTheAverageFirstAndTheRateThen) {
  Meter meter({});
  Signals signals{.pressure = Pressure{.avg10 = 0.3, .avg60 = 0, .waited_us = 1'000'000}};
  EXPECT_DOUBLE_EQ(*meter.measure(Time(0), signals).pressure, 0.3);
  signals.pressure->waited_us += 250'000;
  EXPECT_DOUBLE_EQ(*meter.measure(500ms, signals).pressure, 0.5);
  meter.restart();
  EXPECT_DOUBLE_EQ(*meter.measure(500ms, signals).pressure, 0.3);
}

TEST(Meter, PressureOfTheOwnCgroupComesFirst) {
  Meter meter({});
  Signals signals{.pressure = Pressure{.avg10 = 0.9}};
  signals.cgroup.pressure = Pressure{.avg10 = 0.1};
  EXPECT_DOUBLE_EQ(*meter.measure(Time(0), signals).pressure, 0.1);
}

TEST(Meter, WaitingIsAShareOfTheTimeThatTheProcessWants) {
  Meter meter({});
  Signals signals{.process = ProcessorTime{.ran_ns = 1'000'000'000, .waited_ns = 0}};
  EXPECT_FALSE(meter.measure(Time(0), signals).waiting);
  signals.process = ProcessorTime{.ran_ns = 1'300'000'000, .waited_ns = 100'000'000};
  EXPECT_DOUBLE_EQ(*meter.measure(1s, signals).waiting, 0.25);
  // 40 ms of a second are too few to judge by.
  signals.process = ProcessorTime{.ran_ns = 1'310'000'000, .waited_ns = 130'000'000};
  EXPECT_FALSE(meter.measure(1s, signals).waiting);
  // A thread has ended.
  signals.process = ProcessorTime{.ran_ns = 900'000'000, .waited_ns = 190'000'000};
  EXPECT_FALSE(meter.measure(1s, signals).waiting);
}

TEST(Meter, ThrottledIsAShareOfPeriods) {
  Meter meter({});
  Signals signals;
  signals.cgroup.throttling = Throttling{.periods = 100, .throttled = 10};
  EXPECT_FALSE(meter.measure(Time(0), signals).throttled);
  signals.cgroup.throttling = Throttling{.periods = 105, .throttled = 13};
  EXPECT_DOUBLE_EQ(*meter.measure(1s, signals).throttled, 0.6);
  // Nothing to do, no periods.
  EXPECT_DOUBLE_EQ(*meter.measure(1s, signals).throttled, 0);
  signals.cgroup.throttling.reset();
  EXPECT_FALSE(meter.measure(1s, signals).throttled);
}

TEST(Meter, WattsAreTheSumOfThePackages) {
  Meter meter({});
  Signals signals;
  signals.power.packages = {{.name = "package-0", .microjoules = 900, .range = 1'000'000'000},
                            {.name = "package-1", .microjoules = 999'000'000, .range = 1'000'000'000}};
  EXPECT_FALSE(meter.measure(Time(0), signals).watts);
  signals.power.packages[0].microjoules += 12'000'000;
  signals.power.packages[1].microjoules = 4'000'000;  // past its range
  EXPECT_DOUBLE_EQ(*meter.measure(1s, signals).watts, 17);
  signals.power.packages.pop_back();
  EXPECT_FALSE(meter.measure(1s, signals).watts);
}

TEST(Meter, TheHottestIsTheOneNearestToItsOwnLimit) {
  const auto heat = hottest(
      {sensor("acpitz", false, 60, {}, 105), sensor("skin", false, 41, 45), sensor("cpu", true, 70, 95, 105)},
      {});
  ASSERT_TRUE(heat);
  EXPECT_EQ(heat->sensor, "skin");
  EXPECT_DOUBLE_EQ(heat->limit, 40);
  EXPECT_DOUBLE_EQ(heat->excess(), 1);
}

TEST(Meter, TheLowerOfTwoLimitsCounts) {
  EXPECT_DOUBLE_EQ(hottest({sensor("cpu", true, 70, 100, 103)}, {})->limit, 93);
  EXPECT_DOUBLE_EQ(hottest({sensor("cpu", true, 70, 80, 103)}, {})->limit, 75);
}

TEST(Meter, AssumesALimitOnlyForProcessorsThatShowNone) {
  EXPECT_FALSE(hottest({sensor("iwlwifi_1", false, 90)}, {}));
  EXPECT_DOUBLE_EQ(hottest({sensor("k10temp", true, 90), sensor("acpitz", false, 20, {}, 105)}, {})->limit,
                   85);
  EXPECT_EQ(hottest({sensor("x86_pkg_temp", true, 90), sensor("coretemp", true, 90, {}, 100)}, {})->sensor,
            "coretemp");
}

TEST(Meter, WhoSaysThatPowerIsToBeSaved) {
  Signals signals;
  EXPECT_EQ(told_to_save(signals, {}), "");
  signals.frequency =
      Frequency{.driver = "intel_pstate", .governor = "powersave", .preference = "balance_power"};
  EXPECT_EQ(told_to_save(signals, {}), "");
  signals.frequency->preference = "power";
  EXPECT_THAT(told_to_save(signals, {}), HasSubstr("preference"));
  signals.frequency = Frequency{.driver = "cpufreq-dt", .governor = "powersave", .preference = ""};
  EXPECT_THAT(told_to_save(signals, {}), HasSubstr("governor"));
  signals.frequency->driver = "";  // what the governor means is not known
  EXPECT_EQ(told_to_save(signals, {}), "");
  signals.power.profile = "low-power";
  EXPECT_THAT(told_to_save(signals, {}), HasSubstr("profile"));
}

TEST(Meter, ABatteryCountsWithoutMainsOnly) {
  Signals signals;
  signals.power.battery = 0.1;
  EXPECT_EQ(told_to_save(signals, {}), "");
  signals.power.mains = true;
  EXPECT_EQ(told_to_save(signals, {}), "");
  signals.power.mains = false;
  EXPECT_THAT(told_to_save(signals, {}), HasSubstr("battery is at 10 %"));
  signals.power.battery = 0.5;
  EXPECT_EQ(told_to_save(signals, {}), "");
  EXPECT_THAT(told_to_save(signals, {.save_on_battery = true}), HasSubstr("no mains"));
}

}  // namespace
}  // namespace concertina::supervisor
