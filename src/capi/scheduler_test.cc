#include <cmath>
#include <limits>

#include "capi/testing.h"

namespace concertina::testing {
namespace {

using ::testing::HasSubstr;

class CScheduler : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto model = open_model();
    const concertina_model* twice[] = {model.get(), model.get()};
    concertina_scheduler* made = nullptr;
    ASSERT_EQ(concertina_scheduler_create(twice, 2, nullptr, &made, &error_), CONCERTINA_OK)
        << error_.message;
    scheduler_.reset(made);
  }

  int64_t submit(int32_t model, double deadline_ms, Floats& outputs) {
    int64_t request = -7;
    EXPECT_EQ(concertina_scheduler_submit(scheduler_.get(), model, image_.data(), image_.size(), deadline_ms,
                                          outputs.data(), outputs.size(), &request, &error_),
              CONCERTINA_OK)
        << error_.message;
    return request;
  }

  const std::shared_ptr<const Model> known_ = cpp_model();
  const Floats image_ = testing::random_images(*known_, 1);
  Owned<concertina_scheduler> scheduler_;
  concertina_error error_;
};

TEST_F(CScheduler, AnswersOrGivesUp) {
  Floats first(known_->output_size()), second(known_->output_size()), third(known_->output_size(), 7.0F);
  EXPECT_EQ(submit(0, kInfinity, first), 0);
  EXPECT_EQ(submit(1, 1e9, second), 1);
  EXPECT_EQ(submit(1, -kInfinity, third), 2);
  EXPECT_EQ(concertina_scheduler_waiting(scheduler_.get()), 3U);
  int answered = 0, shed = 0, steps = 0;
  while (concertina_scheduler_waiting(scheduler_.get()) > 0) {
    auto left = sized<concertina_scheduled>();
    ASSERT_EQ(concertina_scheduler_advance(scheduler_.get(), &left, &error_), CONCERTINA_OK)
        << error_.message;
    ++steps;
    if (left.request == CONCERTINA_NO_REQUEST) continue;
    EXPECT_EQ(left.shed != 0, left.request == 2);
    EXPECT_EQ(left.in_time != 0, left.request != 2);
    EXPECT_EQ(left.model, left.request == 0 ? 0 : 1);
    ++(left.shed != 0 ? shed : answered);
  }
  EXPECT_EQ(answered, 2);
  EXPECT_EQ(shed, 1);
  EXPECT_GT(steps, 3);
  const Floats wanted = testing::run_alone(known_, {}, image_, 1, 0);
  EXPECT_EQ(first, wanted);
  EXPECT_EQ(second, wanted);
  EXPECT_THAT(third, ::testing::Each(7.0F));
}

TEST_F(CScheduler, RefusesWhatIsWrong) {
  Floats outputs(known_->output_size());
  int64_t request = -7;
  const auto with = [&](int32_t model, std::size_t floats, double deadline_ms, int64_t* number) {
    return concertina_scheduler_submit(scheduler_.get(), model, image_.data(), floats, deadline_ms,
                                       outputs.data(), outputs.size(), number, &error_);
  };
  EXPECT_EQ(with(2, image_.size(), 1, &request), CONCERTINA_FAILED);
  EXPECT_THAT(error_.message, HasSubstr("0 to 1"));
  EXPECT_EQ(with(0, image_.size() + 1, 1, &request), CONCERTINA_FAILED);
  EXPECT_EQ(with(0, image_.size(), std::nan(""), &request), CONCERTINA_FAILED);
  EXPECT_EQ(with(0, image_.size(), 1, nullptr), CONCERTINA_MISUSED);
  EXPECT_EQ(request, -7);
  EXPECT_EQ(concertina_scheduler_waiting(scheduler_.get()), 0U);
  EXPECT_EQ(concertina_scheduler_waiting(nullptr), 0U);
  EXPECT_EQ(concertina_scheduler_advance(scheduler_.get(), nullptr, nullptr), CONCERTINA_MISUSED);
}

TEST_F(CScheduler, IsNotMadeOfNothing) {
  concertina_scheduler* none = nullptr;
  const concertina_model* missing[] = {nullptr};
  EXPECT_EQ(concertina_scheduler_create(missing, 0, nullptr, &none, &error_), CONCERTINA_FAILED);
  EXPECT_EQ(concertina_scheduler_create(missing, 1, nullptr, &none, &error_), CONCERTINA_MISUSED);
  EXPECT_EQ(concertina_scheduler_create(nullptr, 1, nullptr, &none, &error_), CONCERTINA_MISUSED);
  const auto model = open_model();
  const concertina_model* one[] = {model.get()};
  auto options = sized<concertina_scheduler_options>();
  for (const double reserve : {1.5, std::nan("")}) {
    options.reserve = reserve;
    EXPECT_EQ(concertina_scheduler_create(one, 1, &options, &none, &error_), CONCERTINA_FAILED);
    EXPECT_THAT(error_.message, HasSubstr("reserve"));
  }
  EXPECT_EQ(none, nullptr);
  options.reserve = -1;
  ASSERT_EQ(concertina_scheduler_create(one, 1, &options, &none, &error_), CONCERTINA_OK) << error_.message;
  concertina_scheduler_free(none);
  concertina_scheduler_free(nullptr);
}

}  // namespace
}  // namespace concertina::testing
