#include "images.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace concertina::bench {
namespace {

TEST(Images, PartsOfTheSequenceFit) {
  std::vector<float> all(10), part(4);
  fill(all);
  fill(part, 6);
  EXPECT_EQ(part, std::vector<float>(all.begin() + 6, all.end()));
  EXPECT_NE(all[0], all[1]);
}

TEST(Images, TheDifferenceIsAShareOfTheLargestMagnitude) {
  const std::vector<float> wanted = {1, -4, 2};
  EXPECT_EQ(largest_difference(wanted, wanted), 0);
  EXPECT_EQ(largest_difference(std::vector<float>{1, -4, 3}, wanted), 0.25);
  EXPECT_TRUE(std::isnan(largest_difference(std::vector<float>{1, NAN, 3}, wanted)));
}

}  // namespace
}  // namespace concertina::bench
