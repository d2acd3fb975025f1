#include "profile/busy_machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concertina::profile {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

/// A microsecond passes whenever somebody looks; every thousandth time others have had the processor.
class SharedClock final : public Clock {
 public:
  explicit SharedClock(Time turn) : turn_(turn) {}
  Time now() const override { return now_ += ++looks_ % 1000 == 0 ? turn_ : Time(1us); }

 private:
  Time turn_;
  mutable Time now_{0};
  mutable int looks_ = 0;
};

TEST(BusyMachine, TurnsOfOthersAreTakenAndTicksOfTheTimerAreNot) {
  EXPECT_NEAR(taken_share(SharedClock(1ms), 1s), 0.5, 0.01);
  EXPECT_NEAR(taken_share(SharedClock(4ms), 1s), 0.8, 0.01);
  EXPECT_EQ(taken_share(SharedClock(20us), 1s), 0);
}

TEST(BusyMachine, EveryThreadIsAsked) {
  const double taken = taken_share(2, 2ms);
  EXPECT_GE(taken, 0);
  EXPECT_LE(taken, 1);
}

latency::TimeQuantiles times_with_tail(double ms, double p99) {
  return latency::TimeQuantiles({ms, ms, ms, ms, ms, ms, ms * p99, ms * p99});
}

latency::LatencyTable table_with_tails(std::vector<double> tails, double other_case) {
  latency::LatencyTable table;
  for (std::size_t i = 0; i < tails.size(); ++i) {
    const Subnet subnet{.widths = {static_cast<int>(i) + 1}};
    table.subnets.push_back({.subnet = subnet, .times = times_with_tail(2, tails[i])});
    table.subnets.push_back(
        {.subnet = subnet, .batch = 8, .threads = 2, .times = times_with_tail(2, other_case)});
  }
  return table;
}

TEST(BusyMachine, ATableSaysSoIfMostOfItsSubnetsHaveALongTail) {
  EXPECT_THAT(describe_busy({}), IsEmpty());
  EXPECT_THAT(describe_busy(table_with_tails({1.2, 9, 1.3}, 1.6)), IsEmpty());
  EXPECT_THAT(describe_busy(table_with_tails({1.2, 75, 80}, 1.6)),
              HasSubstr("batch 1 on 1 thread one run in a hundred took 75.0 times"));
  EXPECT_THAT(describe_busy(table_with_tails({3, 3, 3}, 4)), HasSubstr("batch 8 on 2 threads"));
}

}  // namespace
}  // namespace concertina::profile
