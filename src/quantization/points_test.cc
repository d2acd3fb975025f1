#include "quantization/points.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concertina::quantization {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

const std::vector<Point> kPoints = {{1, 0.7}, {2, 0.9}, {2, 0.8}, {3, 0.9}, {4, 0.95}, {4, 0.95}};

TEST(Points, OnTheFrontAreBeatenByNone) {
  EXPECT_THAT(on_front(kPoints), ElementsAre(true, true, false, false, true, true));
  EXPECT_TRUE(on_front({}).empty());
}

TEST(Points, AreAskedForAccuracyAndForCost) {
  EXPECT_EQ(most_accurate(kPoints, 0.9), std::nullopt);
  EXPECT_EQ(most_accurate(kPoints, 1), 0.7);
  EXPECT_EQ(most_accurate(kPoints, 3.5), 0.9);
  EXPECT_EQ(cheapest(kPoints, 0.96), std::nullopt);
  EXPECT_EQ(cheapest(kPoints, 0.75), 2);
  EXPECT_EQ(cheapest(kPoints, 0), 1);
}

TEST(Points, LieBetweenCostsOfEqualRatios) {
  EXPECT_THAT(costs_between(kPoints, 3), ElementsAre(1, DoubleNear(2, 1e-12), 4));
  EXPECT_THAT(costs_between(std::vector<Point>{{5, 0}}, 2), ElementsAre(5, 5));
}

}  // namespace
}  // namespace concertina::quantization
