#include "concertina/adaptive_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <limits>
#include <thread>

#include "base/file.h"
#include "profile/measure_subnets.h"
#include "slo/rule_table.h"
#include "testing/allocation_count.h"
#include "testing/models.h"

namespace concertina {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class AdaptiveSessionTest : public ::testing::Test {
 protected:
  AdaptiveSessionTest() {
    const Graph graph = testing::resnet8();
    onnx::ModelFile file = testing::model_file(graph, testing::nested_subnets(graph, 3));
    for (std::size_t i = 0; i < 3; ++i)
      file.subnets[i].validation_accuracy = 0.9 - 0.1 * static_cast<double>(i);
    model_ = testing::load(file);
    images_ = testing::random_images(*model_, 1);
    logits_.resize(model_->output_size());
    SilentProgress progress;
    table_ = *profile::measure_subnets(model_, {.seconds = 0.05}, SteadyClock(), progress);
  }
  ~AdaptiveSessionTest() override { std::filesystem::remove(path_); }

  AdaptiveOptions with(const latency::LatencyTable& table) {
    EXPECT_TRUE(write_file(path_, table.to_json()));
    return {.latency_table = path_};
  }

  AdaptiveSession session() {
    auto made = AdaptiveSession::make(model_, with(table_));
    EXPECT_TRUE(made) << made.error().message;
    return std::move(made).value();
  }

  void expect_refused(const AdaptiveOptions& options, const char* part) {
    const auto made = AdaptiveSession::make(model_, options);
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().message, HasSubstr(part));
  }

  void expect_refused(AdaptiveSession& one, const Budget& budget, const char* part) {
    const auto answer = one.run(images_, budget, logits_);
    ASSERT_FALSE(answer);
    EXPECT_THAT(answer.error().message, HasSubstr(part));
  }

  const std::filesystem::path path_ = std::filesystem::temp_directory_path() /
                                      ("adaptive_session_test." + std::to_string(getpid()) + ".latency.json");
  std::shared_ptr<const Model> model_;
  std::vector<float> images_, logits_;
  latency::LatencyTable table_;
};

TEST_F(AdaptiveSessionTest, RunsTheLargestInAmpleTimeAndTheFastestInNone) {
  AdaptiveSession adaptive = session();
  Session plain = Session::make(model_).value();
  const auto ample = adaptive.run(images_, {.deadline = 1h}, logits_);
  ASSERT_TRUE(ample) << ample.error().message;
  EXPECT_EQ(ample->subnet, 0);
  EXPECT_DOUBLE_EQ(ample->accuracy, 0.9);
  EXPECT_TRUE(ample->fits && ample->in_time);
  EXPECT_GT(ample->predicted_ms, 0);
  EXPECT_GT(ample->actual_ms, 0);
  EXPECT_EQ(logits_, testing::run(plain, images_, 1, 0));

  const auto none = adaptive.run(images_, {.deadline = 1ns}, logits_);
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->fits || none->in_time);
  EXPECT_EQ(logits_, testing::run(plain, images_, 1, none->subnet));
}

TEST_F(AdaptiveSessionTest, KeepsToTheAccuracyThatIsAskedFor) {
  AdaptiveSession adaptive = session();
  EXPECT_EQ(adaptive.run(images_, {.deadline = -1h, .min_accuracy = 0.85}, logits_)->subnet, 0);
  expect_refused(adaptive, {.deadline = 1h, .min_accuracy = 0.95}, "0.95");
  expect_refused(adaptive, {.deadline = 1h, .min_accuracy = std::nan("")},
                 "cannot be nan; choose one of 0 to 1");
  expect_refused(adaptive, {.deadline = 1h, .min_accuracy = 92}, "cannot be 92; choose one of 0 to 1");
  adaptive.allow_from(1);
  expect_refused(adaptive, {.deadline = 1h, .min_accuracy = 0.85}, "0.8000");
  EXPECT_EQ(adaptive.run(images_, {.deadline = 1h}, logits_)->subnet, 1);
}

TEST_F(AdaptiveSessionTest, FitsIfWhatItPredictsMeetsTheDeadline) {
  AdaptiveSession adaptive = session();
  for (const std::optional<int> subnet :
       {std::optional<int>(), std::optional<int>(0), std::optional<int>(2)}) {
    ASSERT_TRUE(adaptive.select(subnet));
    for (int i = 0; i < 300; ++i) {
      const std::chrono::nanoseconds deadline = 2us * i;
      const auto answer = adaptive.run(images_, {.deadline = deadline}, logits_);
      ASSERT_TRUE(answer);
      EXPECT_EQ(answer->fits, answer->predicted_ms <= to_ms(deadline)) << i;
    }
  }
}

TEST_F(AdaptiveSessionTest, LetsTheUserDecide) {
  AdaptiveSession adaptive = session();
  ASSERT_TRUE(adaptive.select(2));
  const auto answer = adaptive.run(images_, {.deadline = 1h, .min_accuracy = 2}, logits_);
  EXPECT_EQ(answer->subnet, 2);
  EXPECT_TRUE(answer->fits);
  ASSERT_TRUE(adaptive.select(std::nullopt));
  EXPECT_EQ(adaptive.run(images_, {.deadline = 1h}, logits_)->subnet, 0);
  EXPECT_FALSE(adaptive.select(3));
  EXPECT_FALSE(adaptive.select(-1));
}

TEST_F(AdaptiveSessionTest, RefusesWhatMakesNoSense) {
  AdaptiveSession adaptive = session();
  for (const double quantile : {0.0, 1.0, -3.0, std::nan("")})
    expect_refused(adaptive, {.deadline = 1h, .quantile = quantile}, "quantile");
  images_.pop_back();
  expect_refused(adaptive, {.deadline = 1h}, "floats of images");
  expect_refused({.threads = 0}, "threads");
  expect_refused({.batch = 0}, "batch");
}

TEST_F(AdaptiveSessionTest, RefusesASecondThread) {
  AdaptiveSession adaptive = session();
  std::atomic<bool> refused = false;
  const auto run_until_refused = [&] {
    std::vector<float> logits(logits_.size());
    for (int i = 0; i < 10'000 && !refused; ++i) {
      if (const auto answer = adaptive.run(images_, {.deadline = 1h}, logits); !answer) {
        EXPECT_THAT(answer.error().message, HasSubstr("another thread is using this session"));
        refused = true;
      }
    }
  };
  std::thread other(run_until_refused);
  run_until_refused();
  other.join();
  EXPECT_TRUE(refused);
  EXPECT_TRUE(adaptive.run(images_, {.deadline = 1h}, logits_));
}

TEST_F(AdaptiveSessionTest, SurvivesAnyDeadline) {
  AdaptiveSession adaptive = session();
  for (const auto deadline : {std::chrono::nanoseconds::max(), std::chrono::nanoseconds::min()})
    EXPECT_TRUE(adaptive.run(images_, {.deadline = deadline}, logits_));
  EXPECT_EQ(adaptive.run(images_, {.deadline = std::chrono::nanoseconds::max()}, logits_)->subnet, 0);
}

TEST_F(AdaptiveSessionTest, MeasuresIfThereIsNoTable) {
  auto adaptive = AdaptiveSession::make(model_);
  ASSERT_TRUE(adaptive) << adaptive.error().message;
  EXPECT_EQ(adaptive->run(images_, {.deadline = 1h}, logits_)->subnet, 0);
}

TEST_F(AdaptiveSessionTest, RefusesTablesThatDoNotFit) {
  expect_refused({.latency_table = "/nowhere.json"}, "/nowhere.json");
  latency::LatencyTable other = table_;
  other.machine.cpu = "another processor";
  expect_refused(with(other), "another processor");
  AdaptiveOptions accepting = with(other);
  accepting.other_machine = true;
  EXPECT_TRUE(AdaptiveSession::make(model_, accepting));
  latency::LatencyTable less = table_;
  less.subnets.pop_back();
  expect_refused(with(less), to_string(model_->subnets()[2].subnet).c_str());
  AdaptiveOptions batch = with(table_);
  batch.batch = 2;
  expect_refused(batch, "batch 2");
  latency::LatencyTable coarse = table_;
  coarse.precision = Precision::bf16;
  expect_refused(with(coarse), "bf16");
}

// A plan that allows the second sub-net at most, whatever the machine is like.
TEST_F(AdaptiveSessionTest, ObeysThePlanOfWhomItIsSupervisedBy) {
  slo::RuleTable plan;
  plan.machine = table_.machine;
  plan.designs = {{.subnet = 1}};
  plan.rules.emplace_back().name = "always";
  for (const SubnetInfo& info : model_->subnets())
    plan.subnets.push_back({.subnet = info.subnet, .accuracy = info.validation_accuracy});
  const std::filesystem::path file = path_.string() + ".plan.json";
  ASSERT_TRUE(write_file(file, plan.to_json()));
  AdaptiveOptions options = with(table_);
  options.plan = file;
  expect_refused(options, "supervise");
  options.supervise = 1ms;
  expect_refused(options, "1 ms");
  options.supervise = 20ms;
  auto adaptive = AdaptiveSession::make(model_, options);
  ASSERT_TRUE(adaptive) << adaptive.error().message;
  int subnet = 0;
  // The plan may rule before the first run, and the first run tells nothing of the machine.
  for (int i = 0; i < 100'000 && (subnet == 0 || adaptive->machine().slow_down == 1); ++i)
    subnet = adaptive->run(images_, {.deadline = 1h}, logits_)->subnet;
  EXPECT_EQ(subnet, 1);
  EXPECT_NE(adaptive->machine().slow_down, 1);
  adaptive->allow_from(2);
  EXPECT_EQ(adaptive->run(images_, {.deadline = 1h}, logits_)->subnet, 2);
  plan.subnets.pop_back();
  ASSERT_TRUE(write_file(file, plan.to_json()));
  expect_refused(options, file.c_str());
  std::filesystem::remove(file);
}

TEST_F(AdaptiveSessionTest, DoesNotAllocate) {
  AdaptiveSession adaptive = session();
  if (testing::allocation_count() < 0) GTEST_SKIP() << "a sanitizer owns operator new";
  const auto before = testing::allocation_count();
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(adaptive.run(images_, {.deadline = 1h}, logits_));
    ASSERT_TRUE(adaptive.run(images_, {.deadline = 1ns}, logits_));
  }
  EXPECT_EQ(testing::allocation_count(), before);
}

}  // namespace
}  // namespace concertina
