#include "base/quantile.h"

#include <gtest/gtest.h>

namespace concertina {
namespace {

TEST(Quantile, IsTheValueAtTheNearestIndex) {
  const std::vector<double> values = {5, 1, 4, 2, 3};
  EXPECT_EQ(quantile(values, 0), 1);
  EXPECT_EQ(quantile(values, 0.5), 3);
  EXPECT_EQ(quantile(values, 0.6), 3);
  EXPECT_EQ(quantile(values, 0.7), 4);
  EXPECT_EQ(quantile(values, 0.99), 5);
  EXPECT_EQ(quantile(values, 1), 5);
  EXPECT_EQ(quantile({7}, 0.3), 7);
  EXPECT_EQ(quantile({2, 1}, 0.5), 2);
}

}  // namespace
}  // namespace concertina
