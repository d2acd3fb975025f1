// Requests for memory fail, one in each call: the C API says so, gives nothing, and the next call works.

#include "capi/testing.h"
#include "testing/allocation_count.h"

/// For the leak sanitizer: where memory runs out inside protobuf, it loses the message that it was adding.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:CreateMaybeMessage\nleak:_InternalParse\n";
}

namespace concertina::testing {
namespace {

/// Calls make(&handle) with the first request failing, then the second, later with ever larger gaps, until
/// one call succeeds; gives the number of those that did not.
template <typename Handle, typename Make>
int failures_of(Make make) {
  int failures = 0;
  for (int failing = 0;; failing += 1 + failing / 32) {
    Handle* made = nullptr;
    concertina_error error;
    testing::fail_allocation(failing);
    const concertina_status status = make(&made, &error);
    testing::fail_allocation(-1);
    const Owned<Handle> owned(made);
    if (status == CONCERTINA_OK) return failures;
    ++failures;
    EXPECT_EQ(made, nullptr);
    EXPECT_STRNE(error.message, "");
  }
}

class CMemory : public ::testing::Test {
 protected:
  void SetUp() override {
    if (testing::allocation_count() < 0) GTEST_SKIP() << "a sanitizer owns operator new";
  }
};

TEST_F(CMemory, MayRunOutWhileAModelIsOpened) {
  const std::string& bytes = model_bytes();
  EXPECT_GT(failures_of<concertina_model>([&](concertina_model** model, concertina_error* error) {
              return concertina_model_parse(bytes.data(), bytes.size(), nullptr, model, error);
            }),
            100);
}

TEST_F(CMemory, MayRunOutWhileASessionIsMade) {
  const auto model = open_model();
  auto options = sized<concertina_session_options>();
  options.threads = 3;
  EXPECT_GT(failures_of<concertina_session>([&](concertina_session** session, concertina_error* error) {
              return concertina_session_create(model.get(), &options, session, error);
            }),
            3);
}

TEST_F(CMemory, MayRunOutWhileAnAdaptiveSessionIsMade) {
  const auto model = open_model();
  const testing::TestFolder folder;
  const std::string table = write_latency_table(folder);
  auto options = sized<concertina_adaptive_options>();
  options.latency_table = table.c_str();
  options.other_machine = 1;
  EXPECT_GT(failures_of<concertina_adaptive>([&](concertina_adaptive** adaptive, concertina_error* error) {
              return concertina_adaptive_create(model.get(), &options, adaptive, error);
            }),
            3);
}

TEST_F(CMemory, MayRunOutWhileACascadeIsMade) {
  const auto model = open_model();
  const testing::TestFolder folder;
  const std::string file = write_cascade(folder, 1), table = write_latency_table(folder);
  auto options = sized<concertina_cascade_options>();
  options.latency_table = table.c_str();
  options.other_machine = 1;
  EXPECT_GT(failures_of<concertina_cascade>([&](concertina_cascade** cascade, concertina_error* error) {
              return concertina_cascade_create(model.get(), file.c_str(), &options, cascade, error);
            }),
            3);
}

TEST_F(CMemory, MayRunOutWhileASchedulerIsMade) {
  const auto model = open_model();
  const concertina_model* models[] = {model.get()};
  EXPECT_GT(failures_of<concertina_scheduler>([&](concertina_scheduler** scheduler, concertina_error* error) {
              return concertina_scheduler_create(models, 1, nullptr, scheduler, error);
            }),
            3);
}

TEST_F(CMemory, MayRunOutWhileAFailureIsTold) {
  const auto model = open_model();
  auto info = sized<concertina_subnet_info>();
  concertina_error error;
  testing::fail_allocation(0);
  EXPECT_EQ(concertina_model_subnet(model.get(), 99, &info, &error), CONCERTINA_OUT_OF_MEMORY);
  testing::fail_allocation(-1);
  EXPECT_STRNE(error.message, "");
}

}  // namespace
}  // namespace concertina::testing
