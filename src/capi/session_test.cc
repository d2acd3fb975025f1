#include "concertina/session.h"

#include <algorithm>

#include "capi/testing.h"
#include "testing/allocation_count.h"

namespace concertina::testing {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

Owned<concertina_session> open_session(const concertina_model* model,
                                       const concertina_session_options* options = nullptr) {
  concertina_session* session = nullptr;
  concertina_error error;
  EXPECT_EQ(concertina_session_create(model, options, &session, &error), CONCERTINA_OK) << error.message;
  return Owned<concertina_session>(session);
}

TEST(CSession, RunsWhatTheCppSessionRuns) {
  const auto known = cpp_model();
  auto options = sized<concertina_session_options>();
  options.threads = 2;
  options.max_batch = 3;
  const auto session = open_session(open_model().get(), &options);  // and the model's handle is freed
  for (int batch = 1; batch <= 3; ++batch) {
    const Floats images = testing::random_images(*known, batch);
    for (int subnet = 0; subnet < 4; ++subnet) {
      Floats got(static_cast<std::size_t>(batch) * known->output_size());
      ASSERT_EQ(concertina_session_run(session.get(), images.data(), images.size(), batch, subnet, got.data(),
                                       got.size(), nullptr),
                CONCERTINA_OK);
      EXPECT_EQ(got, testing::run_alone(known, {.max_batch = 3}, images, batch, subnet));
    }
  }
}

TEST(CSession, RunsWithoutAllocating) {
  if (testing::allocation_count() < 0) GTEST_SKIP() << "a sanitizer owns operator new";
  const auto known = cpp_model();
  const auto session = open_session(open_model().get());
  const Floats images = testing::random_images(*known, 1);
  Floats outputs(known->output_size());
  const std::int64_t before = testing::allocation_count();
  const auto status = concertina_session_run(session.get(), images.data(), images.size(), 1, 2,
                                             outputs.data(), outputs.size(), nullptr);
  EXPECT_EQ(testing::allocation_count(), before);
  EXPECT_EQ(status, CONCERTINA_OK);
}

TEST(CSession, RefusesWhatIsNotRightAndLeavesTheOutputs) {
  const auto session = open_session(open_model().get());
  const auto known = cpp_model();
  const Floats images = testing::random_images(*known, 2);
  const std::size_t in = known->input_size();
  const std::size_t out = known->output_size();
  Floats outputs(2 * out, 7.0F);
  const auto expect_failure = [&](std::size_t image_floats, int32_t batch, int32_t subnet,
                                  std::size_t output_floats, const char* what) {
    concertina_error error;
    EXPECT_EQ(concertina_session_run(session.get(), images.data(), image_floats, batch, subnet,
                                     outputs.data(), output_floats, &error),
              CONCERTINA_FAILED);
    EXPECT_THAT(error.message, HasSubstr(what));
    EXPECT_THAT(outputs, Each(7.0F));
  };
  expect_failure(in - 1, 1, 0, out, "images");
  expect_failure(2 * in, 1, 0, out, "images");
  expect_failure(in, 1, 0, out + 1, "logits");
  expect_failure(in, 0, 0, out, "batch");
  expect_failure(2 * in, 2, 0, 2 * out, "batch");
  expect_failure(in, 1, 4, out, "sub-net");
  expect_failure(in, 1, -1, out, "sub-net");
}

TEST(CSession, RefusesOptionsOutOfRange) {
  const auto model = open_model();
  for (const auto& [threads, batch] : {std::pair{257, 1}, {-1, 1}, {1, -1}}) {
    auto options = sized<concertina_session_options>();
    options.threads = threads;
    options.max_batch = batch;
    concertina_session* none = nullptr;
    concertina_error error;
    EXPECT_EQ(concertina_session_create(model.get(), &options, &none, &error), CONCERTINA_FAILED);
    EXPECT_STRNE(error.message, "");
    EXPECT_EQ(none, nullptr);
  }
}

TEST(CSession, NothingIsNull) {
  const auto model = open_model();
  const auto session = open_session(model.get());
  Floats images(concertina_model_input_size(model.get()));
  Floats outputs(concertina_model_output_size(model.get()));
  concertina_session* none = nullptr;
  EXPECT_EQ(concertina_session_create(nullptr, nullptr, &none, nullptr), CONCERTINA_MISUSED);
  EXPECT_EQ(concertina_session_create(model.get(), nullptr, nullptr, nullptr), CONCERTINA_MISUSED);
  const auto run = [&](concertina_session* with, const float* from, float* to) {
    return concertina_session_run(with, from, images.size(), 1, 0, to, outputs.size(), nullptr);
  };
  EXPECT_EQ(run(nullptr, images.data(), outputs.data()), CONCERTINA_MISUSED);
  EXPECT_EQ(run(session.get(), nullptr, outputs.data()), CONCERTINA_MISUSED);
  EXPECT_EQ(run(session.get(), images.data(), nullptr), CONCERTINA_MISUSED);
  EXPECT_EQ(run(session.get(), images.data(), outputs.data()), CONCERTINA_OK);
  concertina_session_free(nullptr);
}

}  // namespace
}  // namespace concertina::testing
