#include "recipe/sandwich.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "graph/networks/networks.h"
#include "search/spending.h"

namespace concertina::recipe {
namespace {

class SandwichTest : public ::testing::Test {
 protected:
  double macs(const std::vector<Subnet>& subnets) const {
    double sum = 0;
    for (const Subnet& subnet : subnets) sum += search::training_spending(graph_, subnet, 1).macs;
    return sum;
  }

  const Graph graph_ = *make_network({.name = "resnet8", .input = {3, 32, 32}});
  const ChannelGroups groups_ = *divide_channels(graph_, 8);
};

TEST(Sandwich, IsTheEndsAndTwoBetween) {
  const std::vector<double> losses(5, 1.0);
  const Sandwich sandwich(5, JointSampling::two, 7);
  std::set<std::size_t> between;
  for (int step = 0; step < 200; ++step) {
    const auto drawn = sandwich.draw(step, losses);
    ASSERT_EQ(drawn.size(), 4u);
    EXPECT_EQ(drawn.front(), 0u);
    EXPECT_EQ(drawn.back(), 4u);
    between.insert({drawn[1], drawn[2]});
  }
  EXPECT_EQ(between, (std::set<std::size_t>{1, 2, 3}));
  EXPECT_EQ(sandwich.draw(5, losses), Sandwich(5, JointSampling::two, 7).draw(5, losses));
  EXPECT_THAT(Sandwich(1, JointSampling::two, 7).draw(0, losses), ::testing::ElementsAre(0));
  EXPECT_THAT(Sandwich(2, JointSampling::lagging, 7).draw(0, losses), ::testing::ElementsAre(0, 1));
  EXPECT_THAT(Sandwich(4, JointSampling::every, 7).draw(0, losses), ::testing::ElementsAre(0, 1, 2, 3));
}

TEST(Sandwich, DrawsLaggingSubnetsMoreOften) {
  const std::vector<double> losses = {9, 0.5, 1.5, 2, 9};  // the ends are in every step anyway
  const Sandwich sandwich(5, JointSampling::lagging, 7);
  std::map<std::size_t, int> count;
  for (int step = 0; step < 4000; ++step) {
    const auto drawn = sandwich.draw(step, losses);
    ++count[drawn[1]];
    ++count[drawn[2]];
  }
  EXPECT_NEAR(count[1] / 8000.0, 0.5 / 4, 0.02);
  EXPECT_NEAR(count[2] / 8000.0, 1.5 / 4, 0.02);
  EXPECT_NEAR(count[3] / 8000.0, 2.0 / 4, 0.02);
}

TEST_F(SandwichTest, RandomSubnetsAreOfTheLatticeAndOfAllSizes) {
  const RandomSandwich sandwich(graph_, groups_, 2, 7);
  std::set<std::vector<int>> all;
  double smallest = 1e18, largest = 0;
  for (int step = 0; step < 500; ++step) {
    const auto drawn = sandwich.draw(step);
    ASSERT_EQ(drawn.size(), 4u);
    EXPECT_EQ(drawn.front(), full_subnet(graph_));
    for (std::size_t d = 0; d < full_subnet(graph_).widths.size(); ++d) {
      EXPECT_LE(drawn[3].widths[d], groups_.width(static_cast<int>(d), 4));
    }
    for (const Subnet& subnet : {drawn[1], drawn[2], drawn[3]}) {
      ASSERT_TRUE(check_subnet(graph_, subnet));
      for (std::size_t d = 0; d < subnet.widths.size(); ++d)
        EXPECT_EQ(subnet.widths[d] % groups_.width(static_cast<int>(d), 1), 0);
      all.insert(subnet.widths);
      smallest = std::min(smallest, macs({subnet}));
      largest = std::max(largest, macs({subnet}));
    }
  }
  EXPECT_GT(all.size(), 1300u);
  EXPECT_LT(smallest, 0.1 * macs({full_subnet(graph_)}));
  EXPECT_GT(largest, 0.9 * macs({full_subnet(graph_)}));
}

}  // namespace
}  // namespace concertina::recipe
