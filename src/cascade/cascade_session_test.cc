#include "concertina/cascade_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "cascade/cascade.h"
#include "testing/allocation_count.h"
#include "testing/models.h"
#include "testing/temporary_folder.h"

namespace concertina {
namespace {

using namespace std::chrono_literals;
using ::testing::Each;
using testing::Floats;
using ::testing::HasSubstr;

class CascadeSessionTest : public ::testing::Test {
 protected:
  CascadeSessionTest() {
    const Graph graph = testing::resnet8();
    model_ = testing::load(testing::model_file(graph, testing::nested_subnets(graph, 3)));
    image_ = testing::random_images(*model_, 1);
    scores_.assign(model_->classes().size(), 7.0F);
    cascade_ = {.model = cascade::fingerprint(*model_),
                .stages = {{.look = {.subnet = 2}, .blend = {}, .threshold = 0},
                           {.look = {.subnet = 0}, .blend = {}}},
                .promise = {}};
  }

  /// The first stage is sure if its threshold is 0, and never if it is 1.
  CascadeSession session(double threshold) {
    cascade_.stages[0].threshold = threshold;
    auto made = CascadeSession::make(model_, file());
    EXPECT_TRUE(made) << made.error().message;
    return std::move(made).value();
  }

  std::string file() const { return folder_.write("net.cascade.json", cascade_.to_json()); }

  const testing::TestFolder folder_;
  std::shared_ptr<const Model> model_;
  cascade::Cascade cascade_;
  Floats image_, scores_;
};

TEST_F(CascadeSessionTest, StopsAtTheFirstSureStage) {
  CascadeSession session = this->session(0);
  const auto answer = session.run(image_, {}, scores_);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->stages, 1);
  EXPECT_EQ(answer->subnet, 2);
  EXPECT_FALSE(answer->cut_short);
  EXPECT_TRUE(answer->in_time);
  EXPECT_GT(answer->actual_ms, 0);
  EXPECT_EQ(scores_, testing::run_alone(model_, {}, image_, 1, 2));
  const auto best = std::max_element(scores_.begin(), scores_.end()) - scores_.begin();
  EXPECT_EQ(answer->label, best);
  EXPECT_EQ(session.run(image_, {})->label, best);
}

TEST_F(CascadeSessionTest, GoesOnWhereTheFirstStageIsNotSure) {
  CascadeSession session = this->session(1);
  for (const auto deadline : {std::chrono::nanoseconds::max(), std::chrono::nanoseconds(1h)}) {
    const auto answer = session.run(image_, {.deadline = deadline}, scores_);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->stages, 2);
    EXPECT_EQ(answer->subnet, 0);
    EXPECT_TRUE(answer->in_time);
    EXPECT_EQ(scores_, testing::run_alone(model_, {}, image_, 1, 0));
  }
}

TEST_F(CascadeSessionTest, StartsNothingThatWouldBeLate) {
  CascadeSession session = this->session(1);
  for (const auto deadline : {std::chrono::nanoseconds(1), std::chrono::nanoseconds::min()}) {
    const auto answer = session.run(image_, {.deadline = deadline}, scores_);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->label, -1);
    EXPECT_EQ(answer->subnet, -1);
    EXPECT_EQ(answer->stages, 0);
    EXPECT_TRUE(answer->cut_short);
    EXPECT_FALSE(answer->in_time);
    EXPECT_THAT(scores_, Each(0.0F));
  }
}

TEST_F(CascadeSessionTest, RefusesWhatIsWrong) {
  CascadeSession session = this->session(0);
  const auto refused = [&](const Result<CascadeAnswer>& answer, const char* part) {
    ASSERT_FALSE(answer);
    EXPECT_THAT(answer.error().message, HasSubstr(part));
  };
  for (const double quantile : {0.0, 1.0, -3.0})
    refused(session.run(image_, {.quantile = quantile}), "quantile");
  refused(session.run({}, {}, scores_), "0 floats of an image");
  refused(session.run(image_, {}, std::span(scores_).first(1)), "1 floats of scores");
  EXPECT_THAT(scores_, Each(7.0F));
}

TEST_F(CascadeSessionTest, IsRefusedForAnotherModel) {
  const auto refused = [&](const std::filesystem::path& path, const CascadeOptions& options,
                           const char* part) {
    const auto made = CascadeSession::make(model_, path, options);
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().message, HasSubstr(part));
  };
  refused("/nowhere.json", {}, "/nowhere.json");
  refused(file(), {.threads = 0}, "threads");
  refused(file(), {.latency_table = "/nowhere.latency.json"}, "/nowhere.latency.json");
  cascade_.model = "f00d";
  refused(file(), {}, "net.cascade.json");
  refused(file(), {}, "for another model");
}

TEST_F(CascadeSessionTest, DoesNotAllocate) {
  if (testing::allocation_count() < 0) GTEST_SKIP() << "a sanitizer owns operator new";
  CascadeSession session = this->session(1);
  const std::int64_t before = testing::allocation_count();
  bool ok = true;
  for (int i = 0; i < 5; ++i) {
    ok = ok && session.run(image_, {.deadline = 1h}, scores_);
    ok = ok && session.run(image_, {.deadline = 1ns}, scores_);
  }
  EXPECT_EQ(testing::allocation_count(), before);
  EXPECT_TRUE(ok);
}

TEST_F(CascadeSessionTest, RefusesASecondThread) {
  CascadeSession session = this->session(1);
  std::atomic<bool> refused = false;
  const auto run_until_refused = [&] {
    for (int i = 0; i < 10'000 && !refused; ++i) {
      if (const auto answer = session.run(image_, {}); !answer) {
        EXPECT_THAT(answer.error().message, HasSubstr("another thread is using this session"));
        refused = true;
      }
    }
  };
  std::thread other(run_until_refused);
  run_until_refused();
  other.join();
  EXPECT_TRUE(refused);
}

}  // namespace
}  // namespace concertina
