// Requests for memory fail, one in each call: no exception leaves an AdaptiveSession, nothing is lost, and
// the next call works. `src/capi/memory_test.cc` has the same for C.

#include "base/file.h"
#include "concertina/adaptive_session.h"
#include "profile/measure_subnets.h"
#include "slo/rule_table.h"
#include "testing/each_allocation.h"
#include "testing/models.h"
#include "testing/temporary_folder.h"

namespace concertina {
namespace {

using namespace std::chrono_literals;

class AdaptiveMemoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (testing::allocation_count() < 0) GTEST_SKIP() << "a sanitizer owns operator new";
    SilentProgress silent;
    const auto table =
        profile::measure_subnets(model_, {.threads = {3}, .seconds = 0}, SteadyClock(), silent).value();
    slo::RuleTable plan;
    plan.machine = table.machine;
    plan.designs = {{.subnet = 1}};
    plan.rules.emplace_back().name = "always";
    for (const SubnetInfo& info : model_->subnets())
      plan.subnets.push_back({.subnet = info.subnet, .accuracy = info.validation_accuracy});
    options_ = {.threads = 3,
                .latency_table = folder_.write("net.latency.json", table.to_json()),
                .supervise = 20ms,
                .plan = folder_.write("net.plan.json", plan.to_json())};
  }

  const Graph graph_ = testing::toy();
  const std::shared_ptr<const Model> model_ =
      testing::load(testing::model_file(graph_, testing::nested_subnets(graph_, 2)));
  const testing::Floats images_ = testing::random_images(*model_, 1);
  testing::Floats logits_ = testing::Floats(model_->output_size());
  const testing::TestFolder folder_;
  AdaptiveOptions options_;
};

// It reads the table and the plan, compares their machine with this one, and starts threads.
TEST_F(AdaptiveMemoryTest, MayRunOutWhileOneIsMade) {
  EXPECT_GT(testing::fail_each_allocation([&] { return AdaptiveSession::make(model_, options_); }), 0);
}

// Here they fail on the supervisor's thread, one in a sample. `src/supervisor/supervisor_thread_test.cc`
// fails them all.
TEST_F(AdaptiveMemoryTest, MayRunOutWhileOneIsSupervised) {
  auto session = AdaptiveSession::make(model_, options_);
  ASSERT_TRUE(session) << session.error().message;
  for (int request = 0; request < 20; ++request) {
    testing::fail_allocation(7 * request);
    while (!testing::allocation_failed()) ASSERT_TRUE(session->run(images_, {.deadline = 1h}, logits_));
    ASSERT_TRUE(session->run(images_, {.deadline = 1h}, logits_));
  }
}

TEST_F(AdaptiveMemoryTest, IsNotNeededToRunAndToEnd) {
  options_.supervise = 0ms;
  options_.plan.clear();
  auto session = std::make_unique<AdaptiveSession>(AdaptiveSession::make(model_, options_).value());
  const std::int64_t before = testing::allocation_count();
  EXPECT_TRUE(session->run(images_, {.deadline = 1h}, logits_));
  session.reset();
  EXPECT_EQ(testing::allocation_count(), before);
}

/// What fails anyway says so where its sentence needs memory.
TEST_F(AdaptiveMemoryTest, MayRunOutWhileAFailureIsTold) {
  auto session =
      AdaptiveSession::make(model_, {.threads = 3, .latency_table = options_.latency_table}).value();
  const AdaptiveOptions nowhere{.latency_table = "/nowhere/at/all/is/a/table.json"};
  const AdaptiveOptions useless{.threads = 3, .latency_table = options_.latency_table, .plan = options_.plan};
  const auto fail_each = [](auto call) {
    const auto judge = [](const auto& result, bool) {
      ASSERT_FALSE(result);
      EXPECT_NE(result.error().message, "");
    };
    EXPECT_GT(testing::fail_each_allocation(call, judge), 0);
  };
  fail_each([&] { return AdaptiveSession::make(model_, nowhere); });
  fail_each([&] { return AdaptiveSession::make(model_, useless); });
  fail_each([&] { return session.run({}, {.deadline = 1h}, {}); });
  fail_each([&] { return session.run(images_, {.deadline = 1h, .quantile = 2}, logits_); });
  fail_each([&] { return session.select(99); });
}

}  // namespace
}  // namespace concertina
