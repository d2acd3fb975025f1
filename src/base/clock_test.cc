#include "base/clock.h"

#include <gtest/gtest.h>

namespace concertina {
namespace {

TEST(Clock, TurnsMillisecondsThereAndBack) {
  EXPECT_EQ(from_ms(1.5), Time(1'500'000));
  EXPECT_DOUBLE_EQ(to_ms(from_ms(-0.25)), -0.25);
}

TEST(Clock, AManualOneStandsStill) {
  ManualClock clock;
  clock.set(from_ms(3));
  clock.advance(from_ms(2));
  EXPECT_EQ(clock.now(), from_ms(5));
  EXPECT_EQ(clock.now(), from_ms(5));
}

}  // namespace
}  // namespace concertina
