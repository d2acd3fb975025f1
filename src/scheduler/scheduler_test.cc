#include "concertina/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <map>
#include <thread>

#include "testing/allocation_count.h"
#include "testing/models.h"

namespace concertina {
namespace {

using namespace std::chrono_literals;
using testing::Floats;
using ::testing::HasSubstr;

std::vector<std::shared_ptr<const Model>> two_models() {
  std::vector<std::shared_ptr<const Model>> models;
  for (const Graph& graph : {testing::branches(), testing::resnet8()})
    models.push_back(testing::load(testing::model_file(graph, testing::nested_subnets(graph, 3))));
  return models;
}

class SchedulerTest : public ::testing::Test {
 protected:
  SchedulerTest() {
    for (int i = 0; i < 12; ++i) {
      const Model& model = *models_[i % 2];
      images_.push_back(testing::random_images(model, 1));
      outputs_.emplace_back(model.output_size(), 7.0F);
    }
  }

  Result<std::int64_t> submit(int i, std::chrono::nanoseconds deadline) {
    return scheduler_.submit(i % 2, images_[i], deadline, outputs_[i]);
  }

  /// All that wait, by request.
  std::map<std::int64_t, ScheduledAnswer> work_off() {
    std::map<std::int64_t, ScheduledAnswer> answers;
    while (scheduler_.waiting() > 0) {
      const auto left = scheduler_.advance();
      EXPECT_TRUE(left) << left.error().message;
      if (*left) answers.emplace((*left)->request, **left);
    }
    return answers;
  }

  std::vector<std::shared_ptr<const Model>> models_ = two_models();
  Scheduler scheduler_ = Scheduler::make(models_).value();
  std::vector<Floats> images_, outputs_;
};

TEST_F(SchedulerTest, AnswersEveryRequestWithItsOwnImage) {
  for (int i = 0; i < 12; ++i) EXPECT_EQ(submit(i, 1h).value(), i);
  EXPECT_EQ(scheduler_.waiting(), 12U);
  const auto answers = work_off();
  ASSERT_EQ(answers.size(), 12U);
  for (const auto& [request, answer] : answers) {
    const auto i = static_cast<std::size_t>(request);
    EXPECT_EQ(answer.model, request % 2);
    EXPECT_EQ(answer.subnet, 0);
    EXPECT_EQ(answer.accuracy, models_[i % 2]->subnets()[0].validation_accuracy);
    EXPECT_FALSE(answer.shed);
    EXPECT_TRUE(answer.in_time);
    EXPECT_GT(answer.actual_ms, 0);
    EXPECT_EQ(outputs_[i], testing::run_alone(models_[i % 2], {}, images_[i], 1, 0)) << i;
  }
  EXPECT_FALSE(scheduler_.advance().value());
}

TEST_F(SchedulerTest, GivesUpWhatCannotBeInTime) {
  ASSERT_TRUE(submit(0, 1h));
  ASSERT_TRUE(submit(1, 1ns));
  ASSERT_TRUE(submit(2, std::chrono::nanoseconds::min()));
  ASSERT_TRUE(submit(3, std::chrono::nanoseconds::max()));
  const auto answers = work_off();
  for (const int late : {1, 2}) {
    EXPECT_TRUE(answers.at(late).shed);
    EXPECT_FALSE(answers.at(late).in_time);
    EXPECT_THAT(outputs_[late], ::testing::Each(7.0F));
  }
  for (const int in_time : {0, 3}) EXPECT_TRUE(answers.at(in_time).in_time);
}

TEST_F(SchedulerTest, RefusesWhatIsWrongAndKeepsTheQueue) {
  const auto refused = [&](const Result<std::int64_t>& result, const char* part) {
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, HasSubstr(part));
  };
  refused(scheduler_.submit(2, images_[0], 1h, outputs_[0]), "has 0 to 1");
  refused(scheduler_.submit(-1, images_[0], 1h, outputs_[0]), "no model number -1");
  refused(scheduler_.submit(0, {}, 1h, outputs_[0]), "0 floats of an image");
  refused(scheduler_.submit(0, images_[0], 1h, {}), "0 floats of outputs");
  EXPECT_EQ(scheduler_.waiting(), 0U);
  EXPECT_EQ(submit(0, 1h).value(), 0);
  EXPECT_THAT(Scheduler::make({}).error().message, HasSubstr("needs a model"));
  for (const double reserve : {-0.1, 1.1, std::nan("")}) {
    EXPECT_THAT(Scheduler::make(models_, {.reserve = reserve}).error().message, HasSubstr("reserve"));
  }
}

TEST_F(SchedulerTest, AllocatesOnlyForALongerQueueThanEver) {
  if (testing::allocation_count() < 0) GTEST_SKIP() << "a sanitizer owns operator new";
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(submit(i, 1h));
  work_off();
  const std::int64_t before = testing::allocation_count();
  bool ok = true;
  for (int i = 0; i < 11; ++i) ok = ok && submit(i, 1h);
  while (scheduler_.waiting() > 0) ok = ok && scheduler_.advance();
  EXPECT_EQ(testing::allocation_count(), before);
  EXPECT_TRUE(ok);
}

TEST_F(SchedulerTest, RefusesASecondThread) {
  std::atomic<bool> refused = false;
  ASSERT_TRUE(submit(0, 1h));
  const auto advance_until_refused = [&] {
    for (int i = 0; i < 100'000 && !refused; ++i) {
      if (const auto left = scheduler_.advance(); !left) {
        EXPECT_THAT(left.error().message, HasSubstr("another thread is using this scheduler"));
        refused = true;
      } else if (*left && !submit(0, 1h)) {
        refused = true;
      }
    }
  };
  std::thread other(advance_until_refused);
  advance_until_refused();
  other.join();
  EXPECT_TRUE(refused);
}

}  // namespace
}  // namespace concertina
