#include <cmath>
#include <limits>

#include "capi/testing.h"
#include "testing/allocation_count.h"

namespace concertina::testing {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

class CCascade : public ::testing::Test {
 protected:
  Owned<concertina_cascade> open(double threshold) {
    const testing::TestFolder folder;
    const std::string file = write_cascade(folder, threshold), table = write_latency_table(folder);
    auto options = sized<concertina_cascade_options>();
    options.latency_table = table.c_str();
    options.other_machine = 1;
    concertina_cascade* made = nullptr;
    EXPECT_EQ(concertina_cascade_create(open_model().get(), file.c_str(), &options, &made, &error_),
              CONCERTINA_OK)
        << error_.message;
    return Owned<concertina_cascade>(made);
  }

  concertina_status run(concertina_cascade* cascade, const concertina_cascade_budget* budget) {
    return concertina_cascade_run(cascade, image_.data(), image_.size(), budget, scores_.data(),
                                  scores_.size(), &answer_, &error_);
  }
  concertina_status run(concertina_cascade* cascade, double deadline_ms, double quantile = 0) {
    auto budget = sized<concertina_cascade_budget>();
    budget.deadline_ms = deadline_ms;
    budget.quantile = quantile;
    return run(cascade, &budget);
  }

  /// The model's outputs are probabilities, of which scores are the logarithms.
  Floats scores_of(int subnet) const {
    Floats scores = testing::run_alone(known_, {}, image_, 1, subnet);
    for (float& value : scores) value = std::log(value);
    return scores;
  }

  const std::shared_ptr<const Model> known_ = cpp_model();
  const Floats image_ = testing::random_images(*known_, 1);
  Floats scores_ = Floats(known_->classes().size(), 7.0F);
  concertina_cascade_answer answer_ = sized<concertina_cascade_answer>();
  concertina_error error_;
};

TEST_F(CCascade, GoesOnUntilItIsSure) {
  const auto sure = open(0), unsure = open(1);
  ASSERT_EQ(run(sure.get(), nullptr), CONCERTINA_OK) << error_.message;
  EXPECT_EQ(answer_.stages, 1);
  EXPECT_EQ(answer_.subnet, 3);
  EXPECT_NE(answer_.in_time, 0);
  EXPECT_EQ(scores_, scores_of(3));
  for (const double deadline : {1e9, kInfinity}) {
    ASSERT_EQ(run(unsure.get(), deadline), CONCERTINA_OK) << error_.message;
    EXPECT_EQ(answer_.stages, 2);
    EXPECT_EQ(answer_.subnet, 0);
    EXPECT_EQ(answer_.cut_short, 0);
    EXPECT_GE(answer_.label, 0);
    EXPECT_GT(answer_.confidence, 0);
    EXPECT_GT(answer_.actual_ms, 0);
    EXPECT_EQ(scores_, scores_of(0));
  }
}

TEST_F(CCascade, SaysThatNothingFits) {
  const auto cascade = open(1);
  for (const double deadline : {0.0, -1e300, -kInfinity}) {
    ASSERT_EQ(run(cascade.get(), deadline), CONCERTINA_OK) << error_.message;
    EXPECT_EQ(answer_.label, -1);
    EXPECT_EQ(answer_.subnet, -1);
    EXPECT_NE(answer_.cut_short, 0);
    EXPECT_EQ(answer_.in_time, 0);
  }
}

TEST_F(CCascade, RefusesWhatIsWrong) {
  const auto cascade = open(1);
  for (const auto& [deadline, quantile] : {std::pair{kNan, 0.0}, {1.0, kNan}, {1.0, 1.0}, {1.0, -0.5}}) {
    EXPECT_EQ(run(cascade.get(), deadline, quantile), CONCERTINA_FAILED);
    EXPECT_STRNE(error_.message, "");
  }
  const auto with = [&](const float* image, std::size_t floats, float* scores, std::size_t score_floats) {
    return concertina_cascade_run(cascade.get(), image, floats, nullptr, scores, score_floats, &answer_,
                                  &error_);
  };
  EXPECT_EQ(with(image_.data(), image_.size() - 1, nullptr, 0), CONCERTINA_FAILED);
  EXPECT_EQ(with(image_.data(), image_.size(), scores_.data(), 1), CONCERTINA_FAILED);
  EXPECT_EQ(with(image_.data(), image_.size(), nullptr, scores_.size()), CONCERTINA_MISUSED);
  EXPECT_EQ(with(nullptr, image_.size(), nullptr, 0), CONCERTINA_MISUSED);
  EXPECT_THAT(scores_, Each(7.0F));
  EXPECT_EQ(answer_.stages, 0);
  EXPECT_EQ(with(image_.data(), image_.size(), nullptr, 0), CONCERTINA_OK);
  answer_.struct_size = 0;
  EXPECT_EQ(with(image_.data(), image_.size(), nullptr, 0), CONCERTINA_MISUSED);
}

TEST_F(CCascade, IsNotMadeOfWhatIsNone) {
  const auto model = open_model();
  concertina_cascade* none = nullptr;
  EXPECT_EQ(concertina_cascade_create(model.get(), "/nowhere.json", nullptr, &none, &error_),
            CONCERTINA_FAILED);
  EXPECT_THAT(error_.message, HasSubstr("/nowhere.json"));
  EXPECT_EQ(concertina_cascade_create(model.get(), nullptr, nullptr, &none, nullptr), CONCERTINA_MISUSED);
  EXPECT_EQ(concertina_cascade_create(nullptr, "/nowhere.json", nullptr, &none, nullptr), CONCERTINA_MISUSED);
  EXPECT_EQ(concertina_cascade_create(model.get(), "/nowhere.json", nullptr, nullptr, nullptr),
            CONCERTINA_MISUSED);
  EXPECT_EQ(none, nullptr);
  concertina_cascade_free(nullptr);
}

TEST_F(CCascade, RunsWithoutAllocating) {
  if (testing::allocation_count() < 0) GTEST_SKIP() << "a sanitizer owns operator new";
  const auto cascade = open(1);
  const std::int64_t before = testing::allocation_count();
  const auto status = run(cascade.get(), 1e9);
  EXPECT_EQ(testing::allocation_count(), before);
  EXPECT_EQ(status, CONCERTINA_OK);
}

}  // namespace
}  // namespace concertina::testing
