#include "control/miss_budget.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace concertina::control {
namespace {

TEST(MissBudget, StartsWithWhatIsAskedFor) {
  EXPECT_DOUBLE_EQ(MissBudget().risk(0.99), 1 - 0.99);
  EXPECT_DOUBLE_EQ(MissBudget().risk(0.9), 1 - 0.9);
}

// The predictions are wrong by a factor of three, one way or the other.
TEST(MissBudget, MakesTheMeasuredShareTheWantedOne) {
  for (const double wrong : {1.0 / 3, 1.0, 3.0}) {
    for (const double quantile : {0.9, 0.99}) {
      MissBudget budget;
      const CounterRandom random(5);
      int late = 0;
      constexpr int kRequests = 50'000;
      for (std::uint64_t i = 0; i < kRequests; ++i) {
        const bool is_late = random.uniform(i) < wrong * budget.risk(quantile);
        late += is_late;
        budget.observe(quantile, is_late, true);
      }
      EXPECT_NEAR(late / static_cast<double>(kRequests), 1 - quantile, 0.05 * (1 - quantile)) << wrong;
    }
  }
}

TEST(MissBudget, AnAnswerThatWasSafeAnywaySpeaksForNothing) {
  MissBudget budget;
  for (int i = 0; i < 100'000; ++i) budget.observe(0.99, false, false);
  EXPECT_DOUBLE_EQ(budget.risk(0.99), 1 - 0.99);
}

TEST(MissBudget, StaysWithinBounds) {
  MissBudget budget;
  for (int i = 0; i < 100'000; ++i) budget.observe(0.99, false, true);
  EXPECT_LE(budget.risk(0.99), 0.101);
  EXPECT_LE(budget.risk(0.5), 0.5);
  for (int i = 0; i < 1000; ++i) budget.observe(0.99, true, true);
  EXPECT_GT(budget.risk(0.99), 0);
}

}  // namespace
}  // namespace concertina::control
