#include "profile/measure_subnets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/out_of_memory.h"
#include "testing/each_allocation.h"
#include "testing/models.h"

namespace concertina::profile {
namespace {

using ::testing::HasSubstr;

/// A millisecond passes whenever somebody looks.
class TickingClock final : public Clock {
 public:
  Time now() const override { return now_ += from_ms(1); }

 private:
  mutable Time now_{0};
};

class MeasureTest : public ::testing::Test {
 protected:
  Result<latency::LatencyTable> measure(const MeasureOptions& options) {
    return measure_subnets(model_, options, clock_, progress_);
  }
  void expect_refused(const MeasureOptions& options, const char* part) {
    const auto table = measure(options);
    ASSERT_FALSE(table);
    EXPECT_THAT(table.error().message, HasSubstr(part));
  }

  const Graph graph_ = testing::branches();
  const std::shared_ptr<const Model> model_ =
      testing::load(testing::model_file(graph_, testing::nested_subnets(graph_, 3)));
  const TickingClock clock_{};
  SilentProgress progress_;
};

TEST_F(MeasureTest, TimesEverySubnetInEveryCase) {
  const auto table = measure({.batches = {1, 4}, .threads = {1, 2}, .seconds = 2});
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ(table->subnets.size(), 12u);
  for (const SubnetInfo& info : model_->subnets()) {
    for (const auto& [batch, threads] :
         {std::pair(1, 1), std::pair(1, 2), std::pair(4, 1), std::pair(4, 2)}) {
      const latency::TimeQuantiles* times = table->find(info.subnet, batch, threads);
      ASSERT_NE(times, nullptr);
      EXPECT_DOUBLE_EQ(times->at(0), 1);
      EXPECT_DOUBLE_EQ(times->at(1), 1);
    }
  }
  EXPECT_GT(table->machine.cores, 0);
  EXPECT_EQ(table->precision, Precision::fp32);
  EXPECT_TRUE(latency::LatencyTable::parse(table->to_json()));
}

// A round looks at the clock twice for each of three sub-nets and once at its start and end: 7 ms, and 2 ms
// more where the case before had another.
TEST_F(MeasureTest, TakesItsTime) {
  const auto table = measure({.seconds = 7.2});
  ASSERT_TRUE(table) << table.error().message;
  for (const latency::SubnetLatency& one : table->subnets) {
    EXPECT_GT(one.runs, 900);
    EXPECT_LT(one.runs, 1100);
  }
}

TEST_F(MeasureTest, CountsRunsBeforeTime) {
  const auto few = measure({.seconds = 1e-3, .least_runs = 11}), many = measure({.most_runs = 23});
  ASSERT_TRUE(few && many);
  for (const latency::SubnetLatency& one : few->subnets) EXPECT_EQ(one.runs, 11);
  for (const latency::SubnetLatency& one : many->subnets) EXPECT_EQ(one.runs, 23);
}

TEST_F(MeasureTest, RefusesWhatNoSessionCanHave) {
  expect_refused({.batches = {0}}, "batch");
  expect_refused({.threads = {1, 999}}, "999 threads");
  expect_refused({.batches = {8, 1, 8}}, "8 is named twice among the batches");
}

TEST_F(MeasureTest, MayRunOutOfMemory) {
  if (testing::allocation_count() < 0) GTEST_SKIP() << "a sanitizer owns operator new";
  EXPECT_GT(testing::fail_each_allocation([&]() -> Result<latency::LatencyTable> {
              try {
                return measure({.batches = {1, 2}, .seconds = 0.001, .least_runs = 1});
              } catch (const std::bad_alloc&) {
                return out_of_memory();
              }
            }),
            0);
}

}  // namespace
}  // namespace concertina::profile
