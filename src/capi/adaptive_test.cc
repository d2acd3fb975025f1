#include <cmath>
#include <limits>

#include "capi/testing.h"
#include "testing/allocation_count.h"

namespace concertina::testing {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

class CAdaptive : public ::testing::Test {
 protected:
  void SetUp() override {
    const testing::TestFolder folder;
    const std::string table = write_latency_table(folder);
    auto options = sized<concertina_adaptive_options>();
    options.latency_table = table.c_str();
    options.other_machine = 1;
    concertina_adaptive* made = nullptr;
    ASSERT_EQ(concertina_adaptive_create(open_model().get(), &options, &made, &error_), CONCERTINA_OK)
        << error_.message;
    adaptive_.reset(made);
  }

  concertina_status run(const concertina_budget& budget) {
    return concertina_adaptive_run(adaptive_.get(), images_.data(), images_.size(), &budget, outputs_.data(),
                                   outputs_.size(), &answer_, &error_);
  }
  concertina_status run(double deadline_ms, double quantile = 0, double min_accuracy = 0) {
    auto budget = sized<concertina_budget>();
    budget.deadline_ms = deadline_ms;
    budget.quantile = quantile;
    budget.min_accuracy = min_accuracy;
    return run(budget);
  }

  const std::shared_ptr<const Model> known_ = cpp_model();
  const Floats images_ = testing::random_images(*known_, 1);
  Floats outputs_ = Floats(known_->output_size(), 7.0F);
  concertina_answer answer_ = sized<concertina_answer>();
  concertina_error error_;
  Owned<concertina_adaptive> adaptive_;
};

TEST_F(CAdaptive, RunsTheLargestWhereThereIsTime) {
  for (const double deadline : {1e9, 1e300, kInfinity}) {
    ASSERT_EQ(run(deadline), CONCERTINA_OK) << error_.message;
    EXPECT_EQ(answer_.subnet, 0);
    EXPECT_EQ(answer_.accuracy, known_->subnets()[0].validation_accuracy);
    EXPECT_NE(answer_.fits, 0);
    EXPECT_NE(answer_.in_time, 0);
    EXPECT_GT(answer_.predicted_ms, 0);
    EXPECT_GT(answer_.actual_ms, 0);
    EXPECT_EQ(outputs_, testing::run_alone(known_, {}, images_, 1, 0));
  }
}

TEST_F(CAdaptive, SaysThatNothingFits) {
  for (const double deadline : {0.0, -1.0, -1e300, -kInfinity}) {
    ASSERT_EQ(run(deadline), CONCERTINA_OK) << error_.message;
    EXPECT_EQ(answer_.fits, 0);
    EXPECT_EQ(answer_.in_time, 0);
    EXPECT_EQ(outputs_, testing::run_alone(known_, {}, images_, 1, answer_.subnet));
  }
}

TEST_F(CAdaptive, TheCallerMaySelect) {
  for (const int32_t subnet : {3, 1}) {
    ASSERT_EQ(concertina_adaptive_select(adaptive_.get(), subnet, nullptr), CONCERTINA_OK);
    ASSERT_EQ(run(kInfinity), CONCERTINA_OK);
    EXPECT_EQ(answer_.subnet, subnet);
  }
  for (const int32_t subnet : {4, -2}) {
    EXPECT_EQ(concertina_adaptive_select(adaptive_.get(), subnet, &error_), CONCERTINA_FAILED);
    EXPECT_THAT(error_.message, HasSubstr("sub-net"));
  }
  ASSERT_EQ(run(kInfinity), CONCERTINA_OK);
  EXPECT_EQ(answer_.subnet, 1);
  ASSERT_EQ(concertina_adaptive_select(adaptive_.get(), CONCERTINA_BY_BUDGET, nullptr), CONCERTINA_OK);
  ASSERT_EQ(run(kInfinity), CONCERTINA_OK);
  EXPECT_EQ(answer_.subnet, 0);
}

TEST_F(CAdaptive, ASupervisorMayForbidTheLargest) {
  ASSERT_EQ(concertina_adaptive_allow_from(adaptive_.get(), 2, nullptr), CONCERTINA_OK);
  ASSERT_EQ(run(kInfinity), CONCERTINA_OK);
  EXPECT_GE(answer_.subnet, 2);
  for (const int32_t subnet : {-1, 4}) {
    EXPECT_EQ(concertina_adaptive_allow_from(adaptive_.get(), subnet, &error_), CONCERTINA_FAILED);
    EXPECT_THAT(error_.message, HasSubstr("0 to 3"));
  }
  ASSERT_EQ(concertina_adaptive_allow_from(adaptive_.get(), 0, nullptr), CONCERTINA_OK);
  ASSERT_EQ(run(kInfinity), CONCERTINA_OK);
  EXPECT_EQ(answer_.subnet, 0);
}

TEST_F(CAdaptive, AnswersLateToADeadlineThatHasPassed) {
  for (const double deadline : {0.0, -3.0, -kInfinity}) {
    ASSERT_EQ(run(deadline), CONCERTINA_OK) << deadline;
    EXPECT_EQ(answer_.fits, 0);
    EXPECT_EQ(answer_.in_time, 0);
  }
  EXPECT_EQ(run(kNan), CONCERTINA_FAILED);
  EXPECT_THAT(error_.message, HasSubstr("deadline_ms is not a number"));
}

TEST_F(CAdaptive, TellsWhatItKnowsOfTheMachine) {
  auto machine = sized<concertina_machine>();
  ASSERT_EQ(concertina_adaptive_machine(adaptive_.get(), &machine, &error_), CONCERTINA_OK);
  EXPECT_EQ(machine.state, CONCERTINA_NORMAL);
  EXPECT_EQ(machine.slow_down, 1);
  for (int i = 0; i < 20; ++i)
    ASSERT_EQ(run(kInfinity), CONCERTINA_OK);  // the first may be an interrupted one
  ASSERT_EQ(concertina_adaptive_machine(adaptive_.get(), &machine, &error_), CONCERTINA_OK);
  EXPECT_NE(machine.slow_down, 1);
  EXPECT_EQ(concertina_adaptive_machine(nullptr, &machine, &error_), CONCERTINA_MISUSED);
  EXPECT_EQ(concertina_adaptive_machine(adaptive_.get(), nullptr, &error_), CONCERTINA_MISUSED);
}

TEST_F(CAdaptive, RefusesWhatIsNoBudget) {
  for (const auto& [deadline, quantile, accuracy] : {std::tuple{kNan, 0.0, 0.0},
                                                     {1.0, kNan, 0.0},
                                                     {1.0, 0.0, kNan},
                                                     {1.0, 1.0, 0.0},
                                                     {1.0, -0.5, 0.0},
                                                     {1.0, kInfinity, 0.0},
                                                     {1.0, 0.0, 0.99},
                                                     {1.0, 0.0, kInfinity}}) {
    EXPECT_EQ(run(deadline, quantile, accuracy), CONCERTINA_FAILED) << deadline << ' ' << quantile;
    EXPECT_STRNE(error_.message, "");
    EXPECT_THAT(outputs_, Each(7.0F));
    EXPECT_EQ(answer_.actual_ms, 0);
  }
}

TEST_F(CAdaptive, RefusesArraysOfWrongLength) {
  auto budget = sized<concertina_budget>();
  budget.deadline_ms = 1;
  for (const auto& [in, out] : {std::pair{images_.size() - 1, outputs_.size()},
                                {images_.size(), outputs_.size() - 1},
                                {std::size_t{0}, std::size_t{0}}}) {
    EXPECT_EQ(concertina_adaptive_run(adaptive_.get(), images_.data(), in, &budget, outputs_.data(), out,
                                      &answer_, &error_),
              CONCERTINA_FAILED);
    EXPECT_THAT(error_.message, HasSubstr("floats"));
    EXPECT_THAT(outputs_, Each(7.0F));
  }
}

TEST_F(CAdaptive, NothingIsNullButTheAnswer) {
  auto budget = sized<concertina_budget>();
  budget.deadline_ms = kInfinity;
  const auto run_with = [&](concertina_adaptive* with, const float* from, const concertina_budget* within,
                            float* to, concertina_answer* answer) {
    return concertina_adaptive_run(with, from, images_.size(), within, to, outputs_.size(), answer, nullptr);
  };
  const float* in = images_.data();
  float* out = outputs_.data();
  EXPECT_EQ(run_with(nullptr, in, &budget, out, nullptr), CONCERTINA_MISUSED);
  EXPECT_EQ(run_with(adaptive_.get(), nullptr, &budget, out, nullptr), CONCERTINA_MISUSED);
  EXPECT_EQ(run_with(adaptive_.get(), in, nullptr, out, nullptr), CONCERTINA_MISUSED);
  EXPECT_EQ(run_with(adaptive_.get(), in, &budget, nullptr, nullptr), CONCERTINA_MISUSED);
  concertina_answer unsized{};
  EXPECT_EQ(run_with(adaptive_.get(), in, &budget, out, &unsized), CONCERTINA_MISUSED);
  EXPECT_THAT(outputs_, Each(7.0F));
  EXPECT_EQ(run_with(adaptive_.get(), in, &budget, out, nullptr), CONCERTINA_OK);
  EXPECT_EQ(concertina_adaptive_select(nullptr, 0, nullptr), CONCERTINA_MISUSED);
  EXPECT_EQ(concertina_adaptive_allow_from(nullptr, 0, nullptr), CONCERTINA_MISUSED);
  concertina_adaptive* none = nullptr;
  EXPECT_EQ(concertina_adaptive_create(nullptr, nullptr, &none, nullptr), CONCERTINA_MISUSED);
  EXPECT_EQ(concertina_adaptive_create(open_model().get(), nullptr, nullptr, nullptr), CONCERTINA_MISUSED);
  concertina_adaptive_free(nullptr);
}

TEST_F(CAdaptive, RunsWithoutAllocating) {
  if (testing::allocation_count() < 0) GTEST_SKIP() << "a sanitizer owns operator new";
  const std::int64_t before = testing::allocation_count();
  const auto status = run(kInfinity);
  EXPECT_EQ(testing::allocation_count(), before);
  EXPECT_EQ(status, CONCERTINA_OK);
}

TEST(CAdaptiveOptions, AreRefusedWithAReason) {
  const auto expect_failure = [](const concertina_adaptive_options& options, const char* what) {
    concertina_adaptive* none = nullptr;
    concertina_error error;
    EXPECT_EQ(concertina_adaptive_create(open_model().get(), &options, &none, &error), CONCERTINA_FAILED);
    EXPECT_THAT(error.message, HasSubstr(what));
    EXPECT_EQ(none, nullptr);
  };
  auto options = sized<concertina_adaptive_options>();
  options.latency_table = "nowhere.json";
  expect_failure(options, "nowhere.json");
  options = sized<concertina_adaptive_options>();
  options.threads = 1000;
  expect_failure(options, "1000");
  options = sized<concertina_adaptive_options>();
  options.batch = -3;
  expect_failure(options, "-3");
  options = sized<concertina_adaptive_options>();
  options.supervise_ms = -5;
  expect_failure(options, "-5 ms");
  options.supervise_ms = 200;
  options.plan = "no-plan.json";
  expect_failure(options, "no-plan.json");
  options.supervise_ms = 0;
  expect_failure(options, "supervise");
}

}  // namespace
}  // namespace concertina::testing
