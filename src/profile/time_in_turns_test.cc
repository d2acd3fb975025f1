#include "profile/time_in_turns.h"

#include <gtest/gtest.h>

#include "testing/models.h"

namespace concertina::profile {
namespace {

/// Each look at it is a millisecond after the one before.
class MillisecondClock final : public Clock {
 public:
  Time now() const override { return Time{std::chrono::milliseconds(++ticks)}; }
  mutable int ticks = 0;
};

TEST(TimeInTurns, EverySubnetOfEveryModelHasATime) {
  const std::vector<std::shared_ptr<const Model>> models = {
      testing::load(testing::random_model(testing::toy(), 3)),
      testing::load(testing::random_model(testing::resnet8(), 2))};
  const MillisecondClock clock;
  SilentProgress progress;
  const auto times = time_in_turns(models, 0.001, clock, progress);
  ASSERT_TRUE(times) << times.error().message;
  ASSERT_EQ(times->size(), 2U);
  EXPECT_EQ((*times)[0], (std::vector<double>{1, 1, 1}));
  EXPECT_EQ((*times)[1], (std::vector<double>{1, 1}));
  const int short_run = clock.ticks;
  EXPECT_EQ(short_run, 1 + 6 * (2 * 5 + 1)) << "a start, and six rounds of five runs";
  ASSERT_TRUE(time_in_turns(models, 1, clock, progress));
  EXPECT_GE(clock.ticks - short_run, 1000);
}

}  // namespace
}  // namespace concertina::profile
