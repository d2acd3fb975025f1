#include "slo/rule_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "profile/this_machine.h"
#include "slo/testing.h"
#include "testing/allocation_count.h"

namespace concertina::slo {
namespace {

using ::testing::HasSubstr;
using testing::latency_bound;
using testing::make_candidate;
using Json = nlohmann::json;

const std::vector<SubnetInfo> kSubnets = {
    {.subnet = {{16, 8}}, .macs = 3, .validation_accuracy = 0.9, .test_accuracy = {}},
    {.subnet = {{8, 8}}, .macs = 2, .validation_accuracy = 0.8, .test_accuracy = {}},
    {.subnet = {{4, 4}}, .macs = 1, .validation_accuracy = 0.7, .test_accuracy = {}}};

AnticipatedState make_state(const char* name, std::optional<MachineState> machine, double slow_down,
                            double at_most) {
  return {.name = name,
          .machine = machine,
          .slow_down = slow_down,
          .bounds = {latency_bound(0.5, at_most), {{Metric::accuracy}, 0.6}}};
}

/// Sub-nets of 10, 5 and 2 ms; an answer may take 20 ms.
class RuleTableTest : public ::testing::Test {
 protected:
  RuleTableTest() {
    candidates_ = {make_candidate(0, 0.9, 10), make_candidate(1, 0.8, 5), make_candidate(2, 0.7, 2)};
    // Not in order, on purpose.
    slo_.states = {make_state("tired", MachineState::throttled, 30, 20),
                   make_state("crowded", MachineState::busy, 4, 20),
                   make_state("shared", MachineState::busy, 1.5, 20),
                   make_state("full", MachineState::busy, 8, 20)};
    latency_.machine = {.cpu = "a processor", .instruction_set = "AVX3", .cores = 2, .governor = {}};
    table_ = make_rule_table(slo_, solve(slo_, candidates_), kSubnets, latency_);
  }

  int subnet(MachineState state, double slow_down, int current = -1) const {
    return table_.design(state, slow_down, current).subnet;
  }

  void expect_refused(const Json& json, const char* part) const {
    const auto table = RuleTable::parse(json.dump());
    ASSERT_FALSE(table) << json.dump();
    EXPECT_THAT(table.error().message, HasSubstr(part));
  }

  std::vector<Candidate> candidates_;
  Slo slo_;
  latency::LatencyTable latency_;
  RuleTable table_;
};

TEST_F(RuleTableTest, ADesignHoldsAsLongAsItMeetsTheBounds) {
  ASSERT_EQ(table_.rules.size(), 4u);
  EXPECT_EQ(table_.rules[0].name, "shared");
  EXPECT_NEAR(table_.rules[0].up_to, 2, 1e-9);  // 10 ms twice
  EXPECT_NEAR(table_.rules[0].back_below, 2 / 1.1, 1e-9);
  EXPECT_NEAR(table_.rules[1].up_to, 4.4, 1e-9);  // 5 ms four times, and the margin
  EXPECT_NEAR(table_.rules[1].back_below, std::sqrt(4 * 4.4), 1e-9);
  EXPECT_TRUE(std::isinf(table_.rules[2].up_to));
  EXPECT_EQ(subnet(MachineState::busy, 1), 0);
  EXPECT_EQ(subnet(MachineState::busy, 1.9), 0);
  EXPECT_EQ(subnet(MachineState::busy, 2.01), 1);
  EXPECT_EQ(subnet(MachineState::busy, 4.39), 1);
  EXPECT_EQ(subnet(MachineState::busy, 4.41), 2);
  EXPECT_EQ(subnet(MachineState::busy, 1e9), 2);
  EXPECT_EQ(subnet(MachineState::busy, std::nan("")), 2);
}

TEST_F(RuleTableTest, ComesBackOnlyWithAMargin) {
  EXPECT_EQ(table_.rule(MachineState::busy, 2.05, 0), 1);
  EXPECT_EQ(table_.rule(MachineState::busy, 1.95, 0), 0);
  EXPECT_EQ(table_.rule(MachineState::busy, 1.95, 1), 1);
  EXPECT_EQ(table_.rule(MachineState::busy, 1.80, 1), 0);
  EXPECT_EQ(table_.rule(MachineState::busy, 1.80, 2), 0);
  EXPECT_EQ(table_.rule(MachineState::busy, 1.95, 2), 1);
  EXPECT_EQ(table_.rule(MachineState::busy, 4.3, 2), 2);
  EXPECT_EQ(table_.rule(MachineState::busy, 1.95, 3),
            0);  // of another machine state: no way back to make
  EXPECT_EQ(table_.rule(MachineState::busy, 1.95, 99), 0);
}

TEST_F(RuleTableTest, AMachineStateWithoutRulesTakesThoseOfTheNext) {
  EXPECT_EQ(table_.rules[3].name, "tired");
  EXPECT_EQ(table_.rule(MachineState::normal, 1), 0);  // worse: busy
  EXPECT_EQ(table_.rule(MachineState::saving, 1), 3);  // worse: throttled
  EXPECT_EQ(table_.rule(MachineState::hot, 1), 3);     // better: throttled
  slo_.states.push_back(make_state("otherwise", std::nullopt, 1, 20));
  const RuleTable with = make_rule_table(slo_, solve(slo_, candidates_), kSubnets, latency_);
  EXPECT_EQ(with.rules[with.rule(MachineState::hot, 1)].name, "otherwise");
  EXPECT_EQ(with.rules[with.rule(MachineState::busy, 1)].name, "shared");
}

TEST_F(RuleTableTest, SaysWhatIsViolated) {
  const Rule& tired = table_.rules[3];
  EXPECT_FALSE(tired.feasible);
  EXPECT_EQ(tired.note, "no design is feasible: p50 latency of 60 ms exceeds 20 ms by 40 ms (200.0 %)");
  EXPECT_TRUE(table_.rules[0].feasible);
  EXPECT_EQ(table_.rules[0].note, "");
  EXPECT_EQ(table_.rules[0].min_accuracy, 0.6);
  slo_.states[0].arrivals = 50;
  const Solution overloaded = solve(slo_, candidates_);
  EXPECT_THAT(describe_violation(slo_.states[0], overloaded, overloaded.outcomes[0]),
              HasSubstr("requests come faster than they are answered, 50 a second and at most 16"));
  const Solution few = solve(slo_, candidates_, 1);
  EXPECT_EQ(few.designs[0].design.subnet, 2);
  EXPECT_EQ(describe_violation(slo_.states[1], few, few.outcomes[1]), "");
  slo_.states = {slo_.states[2], slo_.states[3]};
  slo_.states[0].bounds = {{{Metric::accuracy}, 0.9}};
  const Solution one = solve(slo_, candidates_, 1);
  const std::size_t left = one.outcomes[0].cost.feasible() ? 1 : 0;
  EXPECT_THAT(describe_violation(slo_.states[left], one, one.outcomes[left]),
              HasSubstr("none of the few designs is feasible: "));
}

TEST_F(RuleTableTest, LookingUpDoesNotAllocate) {
  const auto before = testing::allocation_count();
  int sum = 0;
  for (int i = 0; i < 100; ++i) sum += subnet(MachineState::busy, 1 + 0.1 * i, i % 4);
  EXPECT_EQ(testing::allocation_count(), before);
  EXPECT_GT(sum, 0);
}

TEST_F(RuleTableTest, ComesBackFromItsFile) {
  table_.machine.cpu = "a \"processor\"";
  const auto again = RuleTable::parse(table_.to_json());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, table_);
  EXPECT_FALSE(RuleTable::read("/nowhere.json"));
}

TEST_F(RuleTableTest, RefusesWhatIsNotOne) {
  const Json good = Json::parse(table_.to_json());
  const auto with = [&](const char* pointer, const Json& value) {
    Json json = good;
    json[Json::json_pointer(pointer)] = value;
    return json;
  };
  expect_refused(Json::array(), "not a plan");
  expect_refused(with("/concertina_plan", 2), "format");
  expect_refused(with("/precision", "int4"), "precision must be one of fp32, bf16");
  expect_refused(with("/machine", 7), "machine must be an object");
  expect_refused(with("/subnets", Json::array()), "subnets must be a list of 1 to 1000000");
  expect_refused(with("/subnets/1/widths", "8-x"), "subnets[1].widths must be a list of widths");
  expect_refused(with("/subnets/1/accuracy", 2), "subnets[1].accuracy must be a number from 0 to 1");
  expect_refused(with("/designs", Json(9, good["designs"][0])), "designs must be a list of 1 to 8");
  expect_refused(with("/designs/0", 3), "designs[0] must be an object");
  expect_refused(with("/designs/0/subnet", 3), "designs[0].subnet must be a whole number from 0 to 2");
  expect_refused(with("/designs/0/threads", 0), "designs[0].threads must be a whole number");
  expect_refused(with("/designs/0/batch", 1e30), "designs[0].batch must be a whole number");
  expect_refused(with("/rules", Json::object()), "rules must be a list");
  expect_refused(with("/rules/0/machine", "tired"), "rules[0].machine must be one of normal, busy");
  expect_refused(with("/rules/0/design", 3), "rules[0].design must be a whole number from 0 to 2");
  expect_refused(with("/rules/0/design", -1), "rules[0].design must be a whole number from 0 to 2");
  expect_refused(with("/rules/0/feasible", 1), "rules[0].feasible must be true or false");
  expect_refused(with("/rules/0/up_to", 0.5), "rules[0].up_to must be a number from 1 to 1000");
  expect_refused(with("/rules/0/up_to", "x"), "rules[0].up_to must be a number");
  expect_refused(with("/rules/0/back_below", 3), "rules[0].back_below must be a number from 1 to 2");
  expect_refused(with("/rules/0/up_to", 4.5), "out of order");
  expect_refused(with("/rules/1/machine", "hot"), "out of order");
  Json json = good;
  json["rules"][0].erase("up_to");
  expect_refused(json, "out of order");
  json = good;
  json["rules"].erase(2);
  expect_refused(json, "out of order");
  EXPECT_FALSE(RuleTable::parse("{"));
  EXPECT_FALSE(RuleTable::parse(std::string(100'000, '[')));
}

TEST_F(RuleTableTest, IsForOneModelAndOneMachine) {
  EXPECT_TRUE(table_.check_model(kSubnets, Precision::fp32));
  EXPECT_THAT(table_.check_model(kSubnets, Precision::bf16).error().message, HasSubstr("for fp32"));
  auto other = kSubnets;
  other[1].subnet.widths[1] = 4;
  EXPECT_THAT(table_.check_model(other, Precision::fp32).error().message, HasSubstr("8-8"));
  other = kSubnets;
  other[2].validation_accuracy = 0.71;
  EXPECT_THAT(table_.check_model(other, Precision::fp32).error().message, HasSubstr("0.7100"));
  other.pop_back();
  EXPECT_THAT(table_.check_model(other, Precision::fp32).error().message, HasSubstr("3 sub-nets"));
  EXPECT_THAT(table_.check_machine().error().message, HasSubstr("'a processor' with AVX3, but this is"));
  table_.machine = profile::this_machine();
  EXPECT_TRUE(table_.check_machine());
  table_.machine.instruction_set = "AVX1";
  EXPECT_FALSE(table_.check_machine());
}

}  // namespace
}  // namespace concertina::slo
