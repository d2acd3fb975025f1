#include "recipe/sandwich.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <utility>

namespace concertina::recipe {
namespace {

TEST(Sandwich, IsTheEndsAndTwoBetween) {
  const Sandwich sandwich(5, JointSampling::two, 7);
  std::map<std::pair<std::size_t, std::size_t>, int> pairs;
  for (int step = 0; step < 6000; ++step) {
    const auto drawn = sandwich.draw(step);
    ASSERT_EQ(drawn.size(), 4u);
    EXPECT_EQ(drawn.front(), 0u);
    EXPECT_EQ(drawn.back(), 4u);
    EXPECT_NE(drawn[1], drawn[2]);
    ++pairs[{drawn[1], drawn[2]}];
  }
  EXPECT_EQ(pairs.size(), 6u);
  for (const auto& [pair, count] : pairs) EXPECT_NEAR(count, 1000, 100);
  EXPECT_EQ(sandwich.draw(5), Sandwich(5, JointSampling::two, 7).draw(5));
  EXPECT_THAT(Sandwich(1, JointSampling::two, 7).draw(0), ::testing::ElementsAre(0));
  EXPECT_THAT(Sandwich(2, JointSampling::two, 7).draw(0), ::testing::ElementsAre(0, 1));
  EXPECT_THAT(Sandwich(3, JointSampling::two, 7).draw(0), ::testing::ElementsAre(0, 1, 2));
  EXPECT_THAT(Sandwich(4, JointSampling::every, 7).draw(0), ::testing::ElementsAre(0, 1, 2, 3));
}

}  // namespace
}  // namespace concertina::recipe
