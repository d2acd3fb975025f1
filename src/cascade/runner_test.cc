#include "cascade/runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "testing/each_allocation.h"
#include "testing/models.h"

namespace concertina::cascade {
namespace {

namespace models = concertina::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using std::chrono_literals::operator""ms;

std::shared_ptr<const Model> small_model() {
  const Graph graph = models::resnet8();
  return models::load(models::model_file(graph, models::nested_subnets(graph, 3)));
}

/// Sub-net s takes 10 (3 - s) ms and is sure of class s + 1, as sure as it is told to be.
class ScriptedRunner final : public ImageRunner {
 public:
  explicit ScriptedRunner(ManualClock& clock) : clock_(clock) {}

  Status run(std::span<const float> image, int subnet, std::span<float> outputs) override {
    ran.push_back(subnet);
    first_values.push_back(image[0]);
    std::fill(outputs.begin(), outputs.end(), 0.0F);
    outputs[static_cast<std::size_t>(subnet) + 1] = sureness[subnet];
    clock_.advance((3 - subnet) * 10ms);
    return fails ? Status(Error{"the run failed"}) : Status();
  }

  std::map<int, float> sureness;
  std::vector<int> ran;
  std::vector<float> first_values;
  bool fails = false;

 private:
  ManualClock& clock_;
};

class ScriptedTimes final : public RunTimes {
 public:
  Time predict(int subnet, double quantile) const override {
    return quantile > 0.5 ? (3 - subnet) * 20ms : (3 - subnet) * 10ms;
  }
};

class CascadeRunnerTest : public ::testing::Test {
 protected:
  void SetUp() override { image_[0] = 7; }

  Cascade cascade() const {
    return {.model = fingerprint(*model_),
            .stages = {{.look = {.subnet = 2}, .blend = {}, .threshold = 0.9},
                       {.look = {.subnet = 1}, .blend = {}, .threshold = 0.9},
                       {.look = {.subnet = 0}, .blend = {}}},
            .promise = {}};
  }
  CascadeRunner runner(const Cascade& cascade) {
    return CascadeRunner::make(cascade, *model_, scripted_, clock_, &times_).value();
  }

  std::shared_ptr<const Model> model_ = small_model();
  std::vector<float> image_ = std::vector<float>(model_->input_size());
  ManualClock clock_;
  ScriptedRunner scripted_{clock_};
  ScriptedTimes times_;
};

TEST_F(CascadeRunnerTest, StopsAtTheFirstSureAnswer) {
  CascadeRunner runner = this->runner(cascade());
  scripted_.sureness = {{2, 1.0F}, {1, 20.0F}, {0, 20.0F}};
  const CascadeRun answer = runner.run(image_).value();
  EXPECT_THAT(scripted_.ran, ElementsAre(2, 1));
  EXPECT_EQ(answer.label, 2);
  EXPECT_EQ(answer.stages, 2);
  EXPECT_GT(answer.confidence, 0.9);
  EXPECT_FALSE(answer.cut_short);
  EXPECT_EQ(answer.took, Time(30ms));
  EXPECT_THAT(answer.stage_times, ElementsAre(Time(10ms), Time(20ms)));
}

TEST_F(CascadeRunnerTest, TheLastStageAnswersHoweverUnsure) {
  CascadeRunner runner = this->runner(cascade());
  scripted_.sureness = {{2, 1.0F}, {1, 1.0F}, {0, 1.0F}};
  const CascadeRun answer = runner.run(image_).value();
  EXPECT_THAT(scripted_.ran, ElementsAre(2, 1, 0));
  EXPECT_EQ(answer.label, 1);
  EXPECT_FALSE(answer.cut_short);
}

TEST_F(CascadeRunnerTest, StartsNothingThatWouldBeLate) {
  CascadeRunner runner = this->runner(cascade());
  clock_.set(1000ms);
  // The second stage would be over at 10 + 40 ms.
  const CascadeRun cut = runner.run(image_, CascadeDeadline{.at = 1049ms}).value();
  EXPECT_THAT(scripted_.ran, ElementsAre(2));
  EXPECT_TRUE(cut.cut_short);
  EXPECT_EQ(cut.label, 0);  // all scores are equal
  EXPECT_EQ(cut.stages, 1);
  const Time now = clock_.now();
  EXPECT_EQ(runner.run(image_, CascadeDeadline{.at = now + 50ms}).value().stages, 2);
  const CascadeRun none = runner.run(image_, CascadeDeadline{.at = clock_.now() + 19ms}).value();
  EXPECT_EQ(none.stages, 0);
  EXPECT_EQ(none.label, -1);
  EXPECT_TRUE(none.cut_short);
  EXPECT_EQ(runner.run(image_, CascadeDeadline{.at = clock_.now() + 19ms, .quantile = 0.4}).value().stages,
            1);
}

TEST_F(CascadeRunnerTest, BlendsAndMirrors) {
  Cascade mirrored = cascade();
  mirrored.stages[1] = {
      .look = {.subnet = 2, .mirrored = true}, .blend = {.own = 1, .before = 0.5}, .threshold = 0.9};
  mirrored.stages[0].blend.before = 0.5;  // of nothing: each image begins anew
  mirrored.stages.pop_back();
  CascadeRunner runner = this->runner(mirrored);
  scripted_.sureness = {{2, 1.0F}};
  const auto width = static_cast<std::size_t>(model_->image().width);
  image_[width - 1] = 5;
  ASSERT_TRUE(runner.run(image_));
  EXPECT_THAT(scripted_.first_values, ElementsAre(7, 5));
  EXPECT_FLOAT_EQ(runner.scores()[3], 1.5F);
  ASSERT_TRUE(runner.run(image_));
  EXPECT_FLOAT_EQ(runner.scores()[3], 1.5F);
}

TEST_F(CascadeRunnerTest, RefusesWhatItCannotRun) {
  Cascade foreign = cascade();
  foreign.model = "f00d";
  EXPECT_THAT(CascadeRunner::make(foreign, *model_, scripted_, clock_).error().message,
              HasSubstr("for another model"));
  CascadeRunner timeless = CascadeRunner::make(cascade(), *model_, scripted_, clock_).value();
  EXPECT_THAT(timeless.run(image_, CascadeDeadline{}).error().message, HasSubstr("needs the times"));
  EXPECT_THAT(timeless.run({}).error().message, HasSubstr("0 floats of an image"));
  scripted_.fails = true;
  EXPECT_THAT(timeless.run(image_).error().message, HasSubstr("the run failed"));
}

TEST_F(CascadeRunnerTest, OnASessionIsWhatTheSessionSaysAndAllocatesNothing) {
  Cascade unsure = cascade();
  for (CascadeStage& stage : unsure.stages) stage.threshold = 1;
  unsure.stages[0].look.mirrored = true;
  const models::Floats image = models::random_images(*model_, 1);
  Session session = Session::make(model_).value();
  SessionImageRunner on_session(session);
  const SteadyClock clock;
  CascadeRunner runner = CascadeRunner::make(unsure, *model_, on_session, clock, &times_).value();
  const CascadeDeadline later{.at = clock.now() + std::chrono::hours(1)};
  const std::int64_t before = testing::allocation_count();
  const auto answer = runner.run(image, later);
  const std::int64_t after = testing::allocation_count();
  EXPECT_EQ(after, before);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->stages, 3);
  const models::Floats wanted = models::run_alone(model_, {}, image, 1, 0);
  for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_EQ(runner.scores()[i], wanted[i]);
}

TEST_F(CascadeRunnerTest, MayRunOutOfMemoryWhileItIsMade) {
  if (models::allocation_count() < 0) GTEST_SKIP() << "a sanitizer owns operator new";
  const Cascade known = cascade();
  EXPECT_GT(models::fail_each_allocation_inside(
                [&] { return CascadeRunner::make(known, *model_, scripted_, clock_, &times_).ok(); }),
            0);
}

TEST(SlowedTimes, FollowTheMachine) {
  const auto quantiles = latency::TimeQuantiles({8, 9, 10, 11, 12, 13, 14, 15});
  SlowedTimes times({{.accuracy = 0.9, .times = quantiles}});
  EXPECT_EQ(times.predict(0, 0.5), Time(10ms));
  Time now = 1000ms;
  for (int i = 0; i < 50; ++i) times.observe(0, 20ms, now += 20ms);
  EXPECT_NEAR(to_ms(times.predict(0, 0.5)), 20, 0.5);
  EXPECT_NEAR(to_ms(times.predict(0, 0.99)), 28, 0.7);
}

}  // namespace
}  // namespace concertina::cascade
