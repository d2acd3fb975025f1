// Requests for memory fail, one in each call: the C API says so, gives nothing, loses nothing, and the next
// call works.

#include "capi/testing.h"
#include "testing/each_allocation.h"

namespace concertina::testing {
namespace {

using ::testing::AnyOf;
using ::testing::Each;

/// What a function that makes something gave.
template <typename Handle>
struct Made {
  concertina_status status;
  Owned<Handle> handle;
  concertina_error error;
};

/// Fails each request for memory of make(&handle, &error).
template <typename Handle, typename Make>
void fail_each(Make make) {
  const auto act = [&] {
    Made<Handle> made{.status = CONCERTINA_OK, .handle = nullptr, .error = {}};
    Handle* handle = nullptr;
    made.status = make(&handle, &made.error);
    made.handle.reset(handle);
    return made;
  };
  const auto judge = [](const Made<Handle>& made, bool failed) {
    if (made.handle != nullptr) {
      EXPECT_EQ(made.status, CONCERTINA_OK);
      EXPECT_STREQ(made.error.message, "");
    } else {
      EXPECT_TRUE(failed) << made.error.message;
      EXPECT_THAT(made.status, AnyOf(CONCERTINA_FAILED, CONCERTINA_OUT_OF_MEMORY));
      EXPECT_STRNE(made.error.message, "");
    }
  };
  EXPECT_GT(fail_each_allocation(act, judge), 0);
}

/// The file of a smaller model than that of the other tests: it is read thousands of times.
std::string toy_bytes() {
  const Graph graph = toy();
  return onnx::serialize_model(model_file(graph, nested_subnets(graph, 2))).value();
}

class CMemory : public ::testing::Test {
 protected:
  void SetUp() override {
    if (allocation_count() < 0) GTEST_SKIP() << "a sanitizer owns operator new";
  }

  /// Supervised by a plan, of three threads.
  concertina_adaptive_options adaptive_options() const {
    auto options = sized<concertina_adaptive_options>();
    options.threads = 3;
    options.latency_table = table_.c_str();
    options.other_machine = 1;
    options.supervise_ms = 20;
    options.plan = plan_.c_str();
    return options;
  }

  const TestFolder folder_;
  const std::string table_ = write_latency_table(folder_, 3);
  const std::string plan_ = write_plan(folder_);
};

TEST_F(CMemory, MayRunOutWhileAModelIsOpened) {
  const std::string bytes = toy_bytes();
  fail_each<concertina_model>([&](concertina_model** model, concertina_error* error) {
    return concertina_model_parse(bytes.data(), bytes.size(), nullptr, model, error);
  });
}

TEST_F(CMemory, MayRunOutWhileAModelIsLoaded) {
  const std::string file = folder_.write("a model with a long name.onnx", toy_bytes());
  fail_each<concertina_model>([&](concertina_model** model, concertina_error* error) {
    return concertina_model_load(file.c_str(), nullptr, model, error);
  });
}

TEST_F(CMemory, MayRunOutWhileASessionIsMade) {
  const auto model = open_model();
  auto options = sized<concertina_session_options>();
  options.threads = 3;
  options.max_batch = 2;
  fail_each<concertina_session>([&](concertina_session** session, concertina_error* error) {
    return concertina_session_create(model.get(), &options, session, error);
  });
}

TEST_F(CMemory, MayRunOutWhileAnAdaptiveSessionIsMade) {
  const auto model = open_model();
  const auto options = adaptive_options();
  fail_each<concertina_adaptive>([&](concertina_adaptive** adaptive, concertina_error* error) {
    return concertina_adaptive_create(model.get(), &options, adaptive, error);
  });
}

TEST_F(CMemory, IsNotNeededToFree) {
  auto model = open_model();
  concertina_session* session = nullptr;
  concertina_adaptive* adaptive = nullptr;
  auto options = adaptive_options();
  options.supervise_ms = 0;
  options.plan = nullptr;
  ASSERT_EQ(concertina_session_create(model.get(), nullptr, &session, nullptr), CONCERTINA_OK);
  ASSERT_EQ(concertina_adaptive_create(model.get(), &options, &adaptive, nullptr), CONCERTINA_OK);
  const std::int64_t before = allocation_count();
  concertina_session_free(session);
  concertina_adaptive_free(adaptive);
  model.reset();
  EXPECT_EQ(allocation_count(), before);
}

TEST_F(CMemory, MayRunOutWhileASupervisedSessionEnds) {
  const auto model = open_model();
  const auto options = adaptive_options();
  for (int after = 0; after < 100; ++after) {
    concertina_adaptive* adaptive = nullptr;
    ASSERT_EQ(concertina_adaptive_create(model.get(), &options, &adaptive, nullptr), CONCERTINA_OK);
    fail_allocation(after);
    concertina_adaptive_free(adaptive);
    fail_allocation(-1);
  }
}

TEST_F(CMemory, MayRunOutWhileACascadeIsMade) {
  const auto model = open_model();
  const std::string file = write_cascade(folder_, 1);
  auto options = sized<concertina_cascade_options>();
  options.threads = 3;
  options.latency_table = table_.c_str();
  options.other_machine = 1;
  fail_each<concertina_cascade>([&](concertina_cascade** cascade, concertina_error* error) {
    return concertina_cascade_create(model.get(), file.c_str(), &options, cascade, error);
  });
}

TEST_F(CMemory, MayRunOutWhileRulesAreLoaded) {
  const auto model = open_model();
  auto options = sized<concertina_rules_options>();
  options.other_machine = 1;
  fail_each<concertina_rules>([&](concertina_rules** rules, concertina_error* error) {
    return concertina_rules_load(plan_.c_str(), model.get(), &options, rules, error);
  });
}

// It measures half a second each time, so only some requests fail.
TEST_F(CMemory, MayRunOutWhileASchedulerIsMade) {
  const auto model = open_model();
  const concertina_model* models[] = {model.get()};
  for (int failing = 0, failures = 1; failures > 0; failing += 1 + failing / 2) {
    concertina_scheduler* scheduler = nullptr;
    concertina_error error;
    fail_allocation(failing);
    const concertina_status status = concertina_scheduler_create(models, 1, nullptr, &scheduler, &error);
    failures = allocation_failed() ? 1 : 0;
    fail_allocation(-1);
    const Owned<concertina_scheduler> owned(scheduler);
    EXPECT_EQ(scheduler == nullptr, status != CONCERTINA_OK);
    EXPECT_EQ(status == CONCERTINA_OK, failures == 0) << failing;
  }
}

TEST_F(CMemory, MayRunOutWhileAFailureIsTold) {
  const auto model = open_model();
  concertina_session* session = nullptr;
  concertina_adaptive* adaptive = nullptr;
  auto options = adaptive_options();
  options.supervise_ms = 0;
  options.plan = nullptr;
  ASSERT_EQ(concertina_session_create(model.get(), nullptr, &session, nullptr), CONCERTINA_OK);
  ASSERT_EQ(concertina_adaptive_create(model.get(), &options, &adaptive, nullptr), CONCERTINA_OK);
  const Owned<concertina_session> owned(session);
  const Owned<concertina_adaptive> also_owned(adaptive);
  const auto budget = sized<concertina_budget>();
  auto info = sized<concertina_subnet_info>();
  Floats floats(1, 7.0F);
  int32_t found = 7;
  using Error = concertina_error*;
  const auto fail_each_of = [](auto call) {
    const auto act = [&] {
      concertina_error error;
      const concertina_status status = call(&error);
      return std::pair(status, error);
    };
    const auto judge = [](const auto& told, bool failed) {
      EXPECT_EQ(told.first, failed ? CONCERTINA_OUT_OF_MEMORY : CONCERTINA_FAILED);
      EXPECT_STRNE(told.second.message, "");
    };
    EXPECT_GT(fail_each_allocation(act, judge), 0);
  };
  fail_each_of([&](Error error) { return concertina_model_subnet(model.get(), 99, &info, error); });
  fail_each_of([&](Error error) { return concertina_model_find(model.get(), "1-2-3", &found, error); });
  fail_each_of([&](Error error) {
    return concertina_session_run(session, floats.data(), 1, 1, 0, floats.data(), 1, error);
  });
  fail_each_of([&](Error error) {
    return concertina_adaptive_run(adaptive, floats.data(), 1, &budget, floats.data(), 1, nullptr, error);
  });
  fail_each_of([&](Error error) { return concertina_adaptive_select(adaptive, 99, error); });
  fail_each_of([&](Error error) { return concertina_adaptive_allow_from(adaptive, 99, error); });
  EXPECT_EQ(found, 7);
  EXPECT_THAT(floats, Each(7.0F));
}

}  // namespace
}  // namespace concertina::testing
