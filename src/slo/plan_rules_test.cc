#include "concertina/plan_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "profile/this_machine.h"
#include "slo/rule_table.h"
#include "testing/allocation_count.h"
#include "testing/models.h"
#include "testing/temporary_folder.h"

namespace concertina {
namespace {

using ::testing::HasSubstr;

class PlanRulesTest : public ::testing::Test {
 protected:
  PlanRulesTest() {
    const Graph graph = testing::branches();
    model_ = testing::load(testing::model_file(graph, testing::nested_subnets(graph, 3)));
    table_.machine = profile::this_machine();
    for (const SubnetInfo& info : model_->subnets())
      table_.subnets.push_back({.subnet = info.subnet, .accuracy = info.validation_accuracy});
    table_.designs = {{.subnet = 0, .threads = 2, .batch = 4}, {.subnet = 1, .threads = 1, .batch = 1}};
    table_.rules = {
        {.name = "shared", .machine = MachineState::busy, .up_to = 2, .back_below = 1.8},
        {.name = "full", .machine = MachineState::busy, .design = 1, .feasible = false, .note = "late"},
        {.name = "otherwise", .machine = {}, .min_accuracy = 0.5}};
  }

  Result<PlanRules> load(bool other_machine = false) {
    return PlanRules::load(folder_.write("net.plan.json", table_.to_json()), *model_, other_machine);
  }

  const testing::TestFolder folder_;
  std::shared_ptr<const Model> model_;
  slo::RuleTable table_;
};

TEST_F(PlanRulesTest, SayHowToRun) {
  const auto plan = load();
  ASSERT_TRUE(plan) << plan.error().message;
  const std::span<const PlanRule> rules = plan->rules();
  ASSERT_EQ(rules.size(), 3U);
  EXPECT_EQ(rules[0].name, "shared");
  EXPECT_EQ(rules[0].machine, MachineState::busy);
  EXPECT_EQ(rules[0].subnet, 0);
  EXPECT_EQ(rules[0].threads, 2);
  EXPECT_EQ(rules[0].batch, 4);
  EXPECT_TRUE(rules[0].feasible);
  EXPECT_EQ(rules[1].subnet, 1);
  EXPECT_FALSE(rules[1].feasible);
  EXPECT_EQ(rules[1].note, "late");
  EXPECT_EQ(rules[2].machine, std::nullopt);
  EXPECT_EQ(rules[2].min_accuracy, 0.5);
}

TEST_F(PlanRulesTest, AreFoundByStateAndSlowDown) {
  const PlanRules plan = load().value();
  const std::int64_t before = testing::allocation_count();
  EXPECT_EQ(plan.find(MachineState::busy, 1.9), 0);
  EXPECT_EQ(plan.find(MachineState::busy, 2.1), 1);
  EXPECT_EQ(plan.find(MachineState::busy, 1.9, 1), 1);
  EXPECT_EQ(plan.find(MachineState::busy, 1.7, 1), 0);
  EXPECT_EQ(plan.find(MachineState::busy, std::nan("")), 1);
  EXPECT_EQ(plan.find(MachineState::hot, 9), 2);
  EXPECT_EQ(plan.find(MachineState::normal, 1, 99), 2);
  EXPECT_EQ(testing::allocation_count(), before);
}

TEST_F(PlanRulesTest, AreOfOneModelAndMachine) {
  EXPECT_THAT(PlanRules::load("/nowhere.json", *model_).error().message, HasSubstr("/nowhere.json"));
  table_.machine.cpu = "another processor";
  EXPECT_THAT(load().error().message, HasSubstr("another processor"));
  EXPECT_THAT(load().error().message, HasSubstr("net.plan.json"));
  EXPECT_TRUE(load(true));
  table_.subnets[1].accuracy /= 2;
  EXPECT_THAT(load(true).error().message, HasSubstr("sub-net 1"));
}

}  // namespace
}  // namespace concertina
