#include "search/moves.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/cost.h"
#include "graph/networks/networks.h"
#include "graph/resolution.h"

namespace concertina::search {
namespace {

class MovesTest : public ::testing::Test {
 protected:
  Moves moves(const Axes& axes, int floor_groups = 1) const { return {graph_, groups_, axes, floor_groups}; }

  const Graph graph_ = *make_network({.name = "resnet20", .input = {3, 32, 32}});
  const ChannelGroups groups_ = *divide_channels(graph_, 8);
  const Subnet full_ = full_subnet(graph_);
};

TEST_F(MovesTest, ComeInTheOrderOfTheAxes) {
  const std::size_t dimensions = full_.widths.size();
  EXPECT_EQ(moves({}).count(), dimensions);
  EXPECT_EQ(moves({.depth = true}).count(), dimensions + 7) << "two of nine blocks have projections";
  EXPECT_EQ(moves({.resolution = true}).count(), dimensions + 1);
  const Moves all = moves({.depth = true, .resolution = true});
  const auto made = all.of(full_);
  ASSERT_EQ(made.size(), all.count());
  EXPECT_EQ(made[0], groups_.shrink(full_, 0, 1));
  EXPECT_EQ(made.back(), (Subnet{full_.widths, 28}));
  for (const auto& one : made) {
    ASSERT_TRUE(one);
    EXPECT_TRUE(check_subnet(graph_, *one));
    EXPECT_TRUE(is_nested(*one, full_));
    EXPECT_LT(cost(graph_, *one).macs, cost(graph_, full_).macs);
  }
}

TEST_F(MovesTest, EndAtTheLowestResolution) {
  const Moves only = moves({.resolution = true}, groups_.groups());
  Subnet subnet = full_;
  for (const int lower : resolutions(graph_)) {
    subnet = *only.of(subnet).back();
    EXPECT_EQ(subnet.resolution, lower);
  }
  EXPECT_EQ(only.of(subnet).back(), std::nullopt);
}

}  // namespace
}  // namespace concertina::search
