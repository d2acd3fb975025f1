#include "supervisor/supervisor.h"

#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>

#include "base/random.h"
#include "supervisor/signals.h"

namespace concertina::supervisor {
namespace {

using ::testing::AllOf;
/// Of eight sub-nets.
const std::vector<double> kCosts = {8, 7, 6, 5, 4, 3, 2, 1};
using ::testing::HasSubstr;
using ::testing::StartsWith;

using namespace std::chrono_literals;
constexpr Time kPeriod = std::chrono::milliseconds(200);

Signals read_recorded(const char* name) {
  return SignalReader(std::filesystem::path(CONCERTINA_SOURCE_DIR "/src/supervisor/recorded") / name).read();
}

/// A Raspberry Pi 4, which is hot from 80 degrees on and well again at 75.
Signals pi_at(double celsius) {
  static const Signals pi = read_recorded("raspberry_pi_4");
  Signals signals = pi;
  for (Temperature& temperature : signals.temperatures) temperature.now = celsius;
  return signals;
}

/// Plays samples to a supervisor of eight sub-nets, one every 200 ms, and counts.
class Play {
 public:
  explicit Play(const SupervisorOptions& options = {}) : supervisor_(kCosts, options) {}

  const Advice& sample(const Signals& signals) {
    now_ += kPeriod;
    const Advice next = supervisor_.advise(now_, signals);
    if (next.state != advice_.state) ++state_changes;
    if (next.largest != advice_.largest) ++size_changes;
    if (next.largest < advice_.largest) last_up = now_;
    return advice_ = next;
  }
  const Advice& hold(const Signals& signals, Time time) {
    for (Time t{0}; t < time; t += kPeriod) sample(signals);
    return advice_;
  }
  /// A sample in which tasks have waited for that share of the time.
  const Advice& pressure(double share) {
    waited_us_ += static_cast<std::uint64_t>(share * 200'000);
    return sample({.pressure = Pressure{.waited_us = waited_us_}});
  }

  const Advice& advice() const { return advice_; }
  Time now() const { return now_; }

  int state_changes = 0;
  int size_changes = 0;
  Time last_up{0};

 private:
  Supervisor supervisor_;
  Time now_ = 5000s;
  std::uint64_t waited_us_ = 77;
  Advice advice_;
};

TEST(Supervisor, AMachineThatShowsNothingIsNormal) {
  Play play;
  const Advice advice = play.hold({}, 60s);
  EXPECT_EQ(advice.state, MachineState::normal);
  EXPECT_EQ(advice.largest, 0);
  EXPECT_EQ(advice.why, "no signal is too high");
}

TEST(Supervisor, MachinesAtRestAreNormal) {
  for (const char* name : {"laptop", "raspberry_pi_4", "container_v2/before", "container_v1"}) {
    EXPECT_EQ(Play().hold(read_recorded(name), 10s).state, MachineState::normal) << name;
  }
}

TEST(Supervisor, AClimbAndAFallOfTheTemperatureAreTwoChanges) {
  Play play;
  const CounterRandom noise(3);
  const auto at = [&](double celsius) -> const Advice& {
    const double shaken = celsius + 2 * noise.uniform(static_cast<std::uint64_t>(play.now().count())) - 1;
    return play.sample(pi_at(shaken));
  };
  for (double celsius = 60; celsius < 78.9; celsius += 0.02)
    ASSERT_EQ(at(celsius).state, MachineState::normal);
  for (double celsius = 78.9; celsius < 85; celsius += 0.02) at(celsius);
  EXPECT_EQ(play.advice().state, MachineState::hot);
  EXPECT_GT(play.advice().largest, 2);
  EXPECT_THAT(play.advice().why, AllOf(StartsWith("hot: cpu-thermal is at 8"), HasSubstr("limit 80.0")));
  const int held = play.advice().largest;
  for (double celsius = 85; celsius > 76.1; celsius -= 0.02) {
    const double before = play.advice().largest;
    ASSERT_GE(at(celsius).largest, before) << celsius;
  }
  EXPECT_GE(play.advice().largest, held);
  for (double celsius = 76; celsius > 60; celsius -= 0.02) at(celsius);
  play.hold(pi_at(60), 60s);
  EXPECT_EQ(play.advice().largest, 0);
  EXPECT_EQ(play.state_changes, 2);
}

TEST(Supervisor, SaysHowLongItHasBeenWell) {
  Play play;
  play.sample(pi_at(82));
  play.hold(pi_at(70), 4s);
  EXPECT_EQ(play.advice().why, "hot: cpu-thermal is at 70.0 degrees (limit 80.0), well for 3.8 s of 10.0");
}

// A chip that heats up with what it runs, the supervisor in the loop.
TEST(Supervisor, AHotChipSettles) {
  for (double at_full_size = 79; at_full_size < 130; at_full_size += 3) {
    Play play;
    double celsius = 40, highest = 0;
    int early = 0;
    for (Time t{0}; t < 1800s; t += kPeriod) {
      const double share = 1 - play.advice().largest / 8.0;
      celsius += (25 + (at_full_size - 25) * share - celsius) * to_ms(kPeriod) / 30'000;
      play.sample(pi_at(celsius));
      highest = std::max(highest, celsius);
      if (t < 600s) early = play.size_changes;
    }
    EXPECT_LT(highest, 85) << at_full_size;
    // At worst it tries the next size now and then.
    EXPECT_LE(play.size_changes - early, 1200 / 80) << at_full_size;
  }
}

TEST(Supervisor, ThrottlingBeginsAndEnds) {
  Play play;
  play.sample(read_recorded("container_v2/before"));
  EXPECT_EQ(play.advice().state, MachineState::normal);
  Signals signals = read_recorded("container_v2/after");
  play.sample(signals);
  EXPECT_EQ(play.advice().state, MachineState::throttled);
  EXPECT_EQ(play.advice().largest, 2);
  EXPECT_THAT(play.advice().why, HasSubstr("did not suffice in 60 % of its periods"));
  for (int i = 0; i < 50; ++i) {  // ten seconds with periods that suffice
    signals.cgroup.throttling->periods += 2;
    play.sample(signals);
  }
  EXPECT_EQ(play.advice().state, MachineState::normal);
  EXPECT_EQ(play.state_changes, 2);
}

TEST(Supervisor, ASteadyOverloadLeadsDownTheChain) {
  Play play;
  for (int i = 0; i < 300; ++i) play.pressure(0.9);
  EXPECT_EQ(play.advice().state, MachineState::busy);
  EXPECT_EQ(play.advice().largest, 7);
  for (int i = 0; i < 300; ++i) play.pressure(0.05);
  EXPECT_EQ(play.advice().largest, 0);
  EXPECT_EQ(play.state_changes, 2);
}

TEST(Supervisor, PressureAroundTheThresholdDoesNotOscillate) {
  Play play;
  const CounterRandom random(11);
  for (std::uint64_t i = 0; i < 6000; ++i) play.pressure(0.25 + 0.3 * random.uniform(i));
  EXPECT_EQ(play.advice().state, MachineState::busy);
  EXPECT_EQ(play.state_changes, 1);
  EXPECT_LE(play.size_changes, 7);  // down only
}

TEST(Supervisor, BurstsShorterThanTheDwellTimeAreOneChange) {
  Play play;
  for (int i = 0; i < 3000; ++i) play.pressure(i / 8 % 2 == 0 ? 1 : 0);  // 1.6 s each
  EXPECT_EQ(play.state_changes, 1);
}

// Something of a low priority always waits; what the program itself sees decides, while it runs.
TEST(Supervisor, WaitingOfOthersDoesNotCountWhileTheProgramRunsFreely) {
  Play play;
  Signals signals{.pressure = Pressure{.avg10 = 0.9}, .process = ProcessorTime{}};
  const auto run = [&](std::uint64_t ran_ms, std::uint64_t waited_ms) -> const Advice& {
    signals.pressure->waited_us += 190'000;
    signals.process->ran_ns += ran_ms * 1'000'000;
    signals.process->waited_ns += waited_ms * 1'000'000;
    return play.sample(signals);
  };
  EXPECT_EQ(run(0, 0).state, MachineState::busy);
  for (int i = 0; i < 50; ++i) run(150, 5);
  EXPECT_EQ(play.advice().state, MachineState::normal);
  for (int i = 0; i < 5; ++i) run(100, 100);
  EXPECT_EQ(play.advice().state, MachineState::busy);
  EXPECT_THAT(play.advice().why,
              HasSubstr("the program waited for a processor 50 % of the time that it wanted"));
}

TEST(Supervisor, TheWorstStateAndTheSmallestShareHold) {
  Signals signals = pi_at(81);
  signals.pressure = Pressure{.avg10 = 0.5};
  signals.power.profile = "low-power";
  const Advice advice = Play().sample(signals);
  EXPECT_EQ(advice.state, MachineState::hot);
  EXPECT_EQ(advice.share, 0.5);
  EXPECT_EQ(advice.largest, 4);
  EXPECT_THAT(advice.why,
              AllOf(StartsWith("hot: "), HasSubstr("; saving: the platform profile is low-power"),
                    HasSubstr("; busy: tasks waited for a processor 50 % of the time (limit 40 %)")));
}

TEST(Supervisor, ALowerFrequencyIsSaving) {
  Signals signals = read_recorded("laptop");
  signals.frequency->allowed = 0.6;
  const Advice advice = Play().sample(signals);
  EXPECT_EQ(advice.state, MachineState::saving);
  EXPECT_THAT(advice.why, HasSubstr("held at 60 % of the highest (limit 75 %)"));
}

TEST(Supervisor, ALimitOfPowerIsKeptIfItIsSet) {
  SupervisorOptions options;
  options.watts = Thresholds{.enter = 15, .leave = 12, .dwell = 1s, .share = 0.5};
  Play limited(options), free;
  Signals signals = read_recorded("laptop");
  for (int i = 0; i < 5; ++i) {
    signals.power.packages[0].microjoules += 4'000'000;  // in 200 ms
    limited.sample(signals);
    free.sample(signals);
  }
  EXPECT_EQ(limited.advice().state, MachineState::saving);
  EXPECT_THAT(limited.advice().why, HasSubstr("take 20.0 W (limit 15.0)"));
  EXPECT_EQ(free.advice().state, MachineState::normal);
}

TEST(Supervisor, ChoosesTheLargestThatTheShareAllows) {
  const auto largest = [](std::vector<double> costs, double share) {
    SupervisorOptions options;
    options.heat.share = share;
    return Supervisor(std::move(costs), options).advise(Time(0), pi_at(81)).largest;
  };
  EXPECT_EQ(largest({100, 90, 50, 10}, 0.9), 1);
  EXPECT_EQ(largest({100, 90, 50, 10}, 0.89), 2);
  EXPECT_EQ(largest({100, 90, 50, 10}, 0.05), 3);
  EXPECT_EQ(largest({100, 90, 50, 10}, 1), 0);
  EXPECT_EQ(largest({100}, 0.5), 0);
  EXPECT_EQ(largest({4, 3, 2, 1}, 0.75), 1);
}

TEST(Supervisor, SignalsThatVanishAreHeldForAWhile) {
  Play play;
  play.hold(pi_at(82), 1s);
  play.hold({}, 29s);
  EXPECT_EQ(play.advice().state, MachineState::hot);
  EXPECT_EQ(play.advice().why, "hot: its signal has gone");
  play.hold({}, 15s);
  EXPECT_EQ(play.advice().state, MachineState::normal);
}

TEST(Supervisor, SignalsThatComeAndGoDoNotOscillate) {
  Play play;
  for (int i = 0; i < 3000; ++i) play.sample(i % 3 == 0 ? Signals{} : pi_at(i % 2 == 0 ? 81 : 76));
  EXPECT_EQ(play.state_changes, 1);
}

TEST(Supervisor, CountersThatStartAnewAreNoPressure) {
  Play play;
  for (const std::uint64_t waited : {900'000'000u, 900'000'100u, 5u, 10u, 3u})
    EXPECT_EQ(play.sample({.pressure = Pressure{.waited_us = waited}}).state, MachineState::normal);
}

TEST(Supervisor, AClockThatGoesBackProlongsTheDwellTime) {
  Supervisor supervisor(kCosts);
  ASSERT_EQ(supervisor.advise(1000s, pi_at(82)).state, MachineState::hot);
  for (int i = 0; i < 1000; ++i) {
    const Time now = (i % 2 == 0 ? 500 : 900) * 1s;
    ASSERT_EQ(supervisor.advise(now, pi_at(60)).state, MachineState::hot);
  }
}

TEST(Supervisor, AJumpForwardIsNoTimeThatHasPassed) {
  Supervisor supervisor(kCosts);
  supervisor.advise(Time(0), pi_at(82));
  for (int day = 1; day < 100; ++day)
    ASSERT_EQ(supervisor.advise(day * 86'400s, pi_at(60)).state, MachineState::hot);
}

TEST(Supervisor, RatesDoNotSpanAJump) {
  Supervisor supervisor(kCosts);
  const auto waited = [](std::uint64_t us) { return Signals{.pressure = Pressure{.waited_us = us}}; };
  supervisor.advise(Time(0), waited(0));
  supervisor.advise(1s, waited(100'000));
  // Asleep for an hour by this clock, for a second by the other.
  const Advice after = supervisor.advise(3600s, waited(1'000'000));
  EXPECT_EQ(after.measured.pressure, 0);  // the average, as at the start
  EXPECT_DOUBLE_EQ(*supervisor.advise(3601s, waited(1'300'000)).measured.pressure, 0.3);
}

TEST(Supervisor, SamplesOfOneMomentDoNotWearOutTheDwellTime) {
  Supervisor supervisor(kCosts);
  supervisor.advise(1s, pi_at(82));
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(supervisor.advise(1s, pi_at(60)).state, MachineState::hot);
}

TEST(Supervisor, TheEndsOfTimeDoNoHarm) {
  Supervisor supervisor(kCosts);
  for (const Time now : {Time::min(), Time::max(), Time(0), Time::max(), Time::min(), Time(-1)}) {
    supervisor.advise(now, read_recorded("container_v2/before"));
    EXPECT_EQ(supervisor.advise(now, read_recorded("container_v2/after")).state, MachineState::normal);
  }
}

TEST(Supervisor, EqualSamplesGiveEqualAdvice) {
  Play one, two;
  const CounterRandom random(5);
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const Signals signals = pi_at(65 + 20 * random.uniform(i));
    const Advice first = one.sample(signals);
    EXPECT_EQ(first.why, two.sample(signals).why);
    EXPECT_EQ(first.largest, two.advice().largest);
  }
}

}  // namespace
}  // namespace concertina::supervisor
