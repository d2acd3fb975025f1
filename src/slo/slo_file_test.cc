#include "slo/slo_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/reader.h"
#include "slo/testing.h"

namespace concertina::slo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::latency_bound;

const std::string kGood = R"(
switch_margin = 0.2
[[hard]]
metric = "latency"
quantile = 0.99
at_most = 8
[[hard]]
metric = "accuracy"
at_least = 0.85
[[soft]]
metric = "macs"
target = 2e7
weight = 0.5
[[state]]
machine = "normal"
[[state]]
name = "neighbours"
machine = "busy"
slow_down = 2.5
cores = 1
arrivals = 40
  [[state.hard]]
  metric = "latency"
  quantile = 0.99
  at_most = 12.5
)";

void expect_refused(const std::string& text, const char* part) {
  const auto slo = Slo::parse(text, "slo.toml");
  ASSERT_FALSE(slo) << text.substr(0, 200);
  EXPECT_THAT(slo.error().message, HasSubstr(part));
  EXPECT_THAT(slo.error().message, HasSubstr("slo.toml: "));
  EXPECT_EQ(slo.error().message.find('\n'), std::string::npos);
}

/// kGood with one piece replaced.
std::string edited(const std::string& from, const std::string& to) {
  std::string text = kGood;
  return text.replace(text.find(from), from.size(), to);
}

TEST(SloFile, IsReadWhole) {
  const auto slo = Slo::parse(kGood, "slo.toml");
  ASSERT_TRUE(slo) << slo.error().message;
  EXPECT_EQ(slo->switch_margin, 0.2);
  EXPECT_THAT(slo->soft, ElementsAre(Objective{{Metric::macs}, 2e7, 0.5}));
  ASSERT_EQ(slo->states.size(), 2u);
  const AnticipatedState &normal = slo->states[0], &busy = slo->states[1];
  EXPECT_EQ(normal.name, "normal");
  EXPECT_EQ(normal.machine, MachineState::normal);
  EXPECT_EQ(normal.slow_down, 1);
  EXPECT_EQ(normal.arrivals, 0);
  EXPECT_THAT(normal.bounds, ElementsAre(latency_bound(0.99, 8), Bound{{Metric::accuracy}, 0.85}));
  EXPECT_EQ(busy.name, "neighbours");
  EXPECT_EQ(busy.machine, MachineState::busy);
  EXPECT_EQ(busy.slow_down, 2.5);
  EXPECT_EQ(busy.arrivals, 40);
  EXPECT_THAT(busy.bounds, ElementsAre(latency_bound(0.99, 12.5), Bound{{Metric::accuracy}, 0.85},
                                       Bound{{Metric::threads}, 1}));
}

TEST(SloFile, CoresBoundTheThreads) {
  const auto bounds = [](const std::string& general) {
    return Slo::parse(general + "[[state]]\nname = \"a\"\ncores = 4", "slo.toml")->states[0].bounds;
  };
  EXPECT_THAT(bounds("[[hard]]\nmetric = \"threads\"\nat_most = 2\n"),
              ElementsAre(Bound{{Metric::threads}, 2}));
  EXPECT_THAT(bounds("[[hard]]\nmetric = \"threads\"\nat_most = 8\n"),
              ElementsAre(Bound{{Metric::threads}, 4}));
}

TEST(SloFile, OffersTheNearestName) {
  expect_refused(edited("switch_margin", "swich_margin"), "line 2: there is no key 'swich_margin'; did you");
  expect_refused(edited("at_least", "atleast"),
                 "line 9: there is no key 'hard[1].atleast'; did you mean 'at_least'?");
  expect_refused(edited("weight", "wait"), "line 13: there is no key 'soft[0].wait'; did you mean 'weight'?");
  expect_refused(edited("slow_down", "slowdown"), "did you mean 'slow_down'?");
  expect_refused(edited("\"accuracy\"", "\"acuracy\""), "did you mean 'accuracy'?");
  expect_refused(edited("\"busy\"", "\"bussy\""), "did you mean 'busy'?");
}

TEST(SloFile, ChecksEveryNumber) {
  for (const char* wrong :
       {"nan", "inf", "-inf", "0", "-3.5", "1e300", "true", "\"8\"", "[8]", "1979-05-27"}) {
    expect_refused(edited("at_most = 8", std::string("at_most = ") + wrong),
                   "line 6: hard[0].at_most must be");
    expect_refused(edited("target = 2e7", std::string("target = ") + wrong),
                   "line 12: soft[0].target must be");
    expect_refused(edited("weight = 0.5", std::string("weight = ") + wrong),
                   "line 13: soft[0].weight must be");
    expect_refused(edited("slow_down = 2.5", std::string("slow_down = ") + wrong), "slow_down must be");
    expect_refused(edited("arrivals = 40", std::string("arrivals = ") + wrong), "arrivals must be");
    expect_refused(edited("cores = 1", std::string("cores = ") + wrong), "cores must be");
    expect_refused(edited("switch_margin = 0.2", std::string("switch_margin = ") + wrong),
                   "switch_margin must");
    expect_refused(edited("quantile = 0.99", std::string("quantile = ") + wrong), "quantile must be");
  }
  expect_refused(edited("quantile = 0.99", "quantile = 1.0"), "quantile must be");
  expect_refused(edited("at_least = 0.85", "at_least = 85"), "at_least must be a number from 1e-06 to 1");
  expect_refused(edited("slow_down = 2.5", "slow_down = 0.5"), "slow_down must be a number from 1 to 1000");
  expect_refused(edited("cores = 1", "cores = 1.5"), "cores must be a whole number");
}

TEST(SloFile, RefusesWhatMakesNoSense) {
  expect_refused(edited("at_least = 0.85", "at_most = 0.85"), "it bounds accuracy the wrong way round");
  expect_refused(edited("quantile = 0.99\n", ""), "it needs a quantile");
  expect_refused(edited("at_least = 0.85", "at_least = 0.85\nquantile = 0.5"), "accuracy has no quantile");
  expect_refused(edited("at_most = 8\n", ""), "hard[0].at_most is missing; it must be a number");
  expect_refused(edited("metric = \"macs\"\n", ""), "soft[0].metric is missing; it must be one of");
  expect_refused(edited("machine = \"normal\"", ""), "it needs a machine, a name, or both");
  expect_refused(kGood + "[[hard]]\nmetric = \"accuracy\"\nat_least = 0.5\n",
                 "it bounds accuracy a second time");
  expect_refused(kGood + "[[soft]]\nmetric = \"macs\"\n", "it aims at macs a second time");
  expect_refused(kGood + "[[state]]\nname = \"normal\"\n", "two states have the name 'normal'");
  expect_refused(kGood + "[[state]]\nname = \"b\"\nmachine = \"normal\"\n", "nothing tells them apart");
  expect_refused(edited("name = \"neighbours\"", "name = \"a\\u001bb\""), "without control characters");
  expect_refused(edited("name = \"neighbours\"", "name = \"\""), "1 to 64 bytes");
  expect_refused("[[hard]]\nmetric = \"macs\"\nat_most = 1\n", "it anticipates no state");
  expect_refused("", "it anticipates no state");
  expect_refused("[[state]]\nmachine = \"normal\"\n", "it neither bounds nor aims");
  expect_refused("state = 7", "state must be a list of 1 to 24");
  expect_refused("state = [7]", "state[0] must be a table");
  expect_refused("hard = {}\n[[state]]\nmachine = \"hot\"", "hard must be a list of at most 16");
}

TEST(SloFile, RefusesWhatIsTooMuch) {
  std::string states, bounds;
  for (std::size_t i = 0; i <= Slo::kMaxStates; ++i)
    states += "[[state]]\nname = \"s" + std::to_string(i) + "\"\nslow_down = " + std::to_string(i + 1) + "\n";
  expect_refused(states, "state must be a list of 1 to 24");
  for (std::size_t i = 0; i <= Slo::kMaxBounds; ++i) bounds += "[[hard]]\nmetric = \"macs\"\nat_most = 1\n";
  expect_refused(bounds, "hard must be a list of at most 16");
  expect_refused(std::string(Reader::kMaxTomlBytes + 1, '#'), "larger than");
  std::string deep;
  for (int i = 0; i < 30'000; ++i) deep += "a.";
  expect_refused(deep + "a = 1", "dots");
  expect_refused("a = " + std::string(30'000, '['), "line 1: ");
  expect_refused("\xff\xfe\x00", "line 1: ");
  expect_refused("\"a\\n\\u001b\" = 1", "there is no key 'a?\?'");
  expect_refused("[[hard]\n", "line 1: ");
}

}  // namespace
}  // namespace concertina::slo
