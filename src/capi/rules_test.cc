#include <cmath>

#include "capi/testing.h"
#include "slo/rule_table.h"

namespace concertina::testing {
namespace {

using ::testing::HasSubstr;

class CRules : public ::testing::Test {
 protected:
  void SetUp() override {
    slo::RuleTable table;
    table.machine.cpu = "another processor";
    const auto known = cpp_model();
    for (const SubnetInfo& info : known->subnets())
      table.subnets.push_back({.subnet = info.subnet, .accuracy = info.validation_accuracy});
    table.designs = {{.subnet = 1, .threads = 2, .batch = 4}, {.subnet = 3}};
    table.rules = {{.name = "busy", .machine = MachineState::busy, .min_accuracy = 0.25},
                   {.name = "else", .machine = {}, .design = 1, .feasible = false, .note = "late"}};
    const std::string file = folder_.write("net.plan.json", table.to_json());
    const auto model = open_model();
    concertina_rules* made = nullptr;
    EXPECT_EQ(concertina_rules_load(file.c_str(), model.get(), nullptr, &made, &error_), CONCERTINA_FAILED);
    EXPECT_THAT(error_.message, HasSubstr("another processor"));
    auto options = sized<concertina_rules_options>();
    options.other_machine = 1;
    ASSERT_EQ(concertina_rules_load(file.c_str(), model.get(), &options, &made, &error_), CONCERTINA_OK)
        << error_.message;
    rules_.reset(made);
  }

  const testing::TestFolder folder_;
  concertina_error error_;
  Owned<concertina_rules> rules_;
};

TEST_F(CRules, SayHowToRun) {
  ASSERT_EQ(concertina_rules_count(rules_.get()), 2);
  auto rule = sized<concertina_rule>();
  ASSERT_EQ(concertina_rules_rule(rules_.get(), 0, &rule, &error_), CONCERTINA_OK);
  EXPECT_STREQ(rule.name, "busy");
  EXPECT_EQ(rule.machine, CONCERTINA_BUSY);
  EXPECT_EQ(rule.subnet, 1);
  EXPECT_EQ(rule.threads, 2);
  EXPECT_EQ(rule.batch, 4);
  EXPECT_EQ(rule.min_accuracy, 0.25);
  EXPECT_NE(rule.feasible, 0);
  EXPECT_STREQ(rule.note, "");
  ASSERT_EQ(concertina_rules_rule(rules_.get(), 1, &rule, &error_), CONCERTINA_OK);
  EXPECT_EQ(rule.machine, CONCERTINA_ANY_STATE);
  EXPECT_EQ(rule.feasible, 0);
  EXPECT_STREQ(rule.note, "late");
  EXPECT_EQ(concertina_rules_rule(rules_.get(), 2, &rule, &error_), CONCERTINA_FAILED);
  EXPECT_THAT(error_.message, HasSubstr("the plan has 0 to 1"));
}

TEST_F(CRules, AreFoundByState) {
  const auto found = [&](int32_t state, double slow_down) {
    int32_t rule = -7;
    EXPECT_EQ(concertina_rules_find(rules_.get(), state, slow_down, -1, &rule, &error_), CONCERTINA_OK);
    return rule;
  };
  EXPECT_EQ(found(CONCERTINA_BUSY, 1), 0);
  EXPECT_EQ(found(CONCERTINA_BUSY, std::nan("")), 0);
  EXPECT_EQ(found(CONCERTINA_NORMAL, 1), 1);
  EXPECT_EQ(found(CONCERTINA_HOT, 1), 1);
  for (const int32_t state : {-1, 5}) {
    int32_t rule = -7;
    EXPECT_EQ(concertina_rules_find(rules_.get(), state, 1, -1, &rule, &error_), CONCERTINA_FAILED);
    EXPECT_EQ(rule, -7);
  }
  static_assert(CONCERTINA_HOT == static_cast<int>(MachineState::hot) && kMachineStates.size() == 5);
}

TEST_F(CRules, NothingIsNull) {
  const auto model = open_model();
  concertina_rules* none = nullptr;
  EXPECT_EQ(concertina_rules_load(nullptr, model.get(), nullptr, &none, nullptr), CONCERTINA_MISUSED);
  EXPECT_EQ(concertina_rules_load("x", nullptr, nullptr, &none, nullptr), CONCERTINA_MISUSED);
  EXPECT_EQ(concertina_rules_load("x", model.get(), nullptr, nullptr, nullptr), CONCERTINA_MISUSED);
  EXPECT_EQ(concertina_rules_count(nullptr), 0);
  EXPECT_EQ(concertina_rules_rule(rules_.get(), 0, nullptr, nullptr), CONCERTINA_MISUSED);
  EXPECT_EQ(concertina_rules_find(nullptr, 0, 1, -1, nullptr, nullptr), CONCERTINA_MISUSED);
  concertina_rules_free(nullptr);
}

}  // namespace
}  // namespace concertina::testing
