#include "train/sandwich.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "graph/networks/networks.h"
#include "search/spending.h"

namespace concertina::train {
namespace {

class SandwichTest : public ::testing::Test {
 protected:
  double macs(const std::vector<Subnet>& subnets) const {
    double sum = 0;
    for (const Subnet& subnet : subnets) sum += training_spending(graph_, subnet, 1).macs;
    return sum;
  }

  const Graph graph_ = *make_network({.name = "resnet8", .input = {3, 32, 32}});
  const ChannelGroups groups_ = *divide_channels(graph_, 8);
};

TEST_F(SandwichTest, IsTheEndsAndTwoBetween) {
  std::vector<Subnet> list;
  for (const int kept : {8, 6, 5, 3, 2}) list.push_back(uniform_subnet(groups_, kept));
  const Sandwich sandwich(list, 7);
  std::set<std::vector<int>> between;
  for (int step = 0; step < 200; ++step) {
    const auto drawn = sandwich.draw(step);
    ASSERT_EQ(drawn.size(), 4u);
    EXPECT_EQ(drawn.front(), list.front());
    EXPECT_EQ(drawn.back(), list.back());
    between.insert({drawn[1].widths, drawn[2].widths});
  }
  EXPECT_EQ(between, (std::set<std::vector<int>>{list[1].widths, list[2].widths, list[3].widths}));
  EXPECT_EQ(sandwich.draw(5), Sandwich(list, 7).draw(5));
  EXPECT_EQ(Sandwich({list[0]}, 7).draw(0).size(), 1u);
  EXPECT_EQ(Sandwich({list[0], list[4]}, 7).draw(0).size(), 2u);
}

TEST_F(SandwichTest, RandomSubnetsAreOfTheLatticeAndOfAllSizes) {
  const RandomSandwich sandwich(graph_, groups_, 8, 2, 7);
  std::set<std::vector<int>> all;
  double smallest = 1e18, largest = 0;
  for (int step = 0; step < 500; ++step) {
    const auto drawn = sandwich.draw(step);
    ASSERT_EQ(drawn.size(), 4u);
    EXPECT_EQ(drawn.front(), full_subnet(graph_));
    EXPECT_EQ(drawn.back(), uniform_subnet(groups_, 2));
    for (const Subnet& subnet : {drawn[1], drawn[2]}) {
      ASSERT_TRUE(check_subnet(graph_, subnet));
      for (std::size_t d = 0; d < subnet.widths.size(); ++d) EXPECT_EQ(subnet.widths[d] % groups_.unit[d], 0);
      all.insert(subnet.widths);
      smallest = std::min(smallest, macs({subnet}));
      largest = std::max(largest, macs({subnet}));
    }
  }
  EXPECT_GT(all.size(), 900u);
  EXPECT_LT(smallest, 0.1 * macs({full_subnet(graph_)}));
  EXPECT_GT(largest, 0.9 * macs({full_subnet(graph_)}));
}

}  // namespace
}  // namespace concertina::train
