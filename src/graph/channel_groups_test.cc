#include "graph/channel_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/networks/networks.h"

namespace concertina {
namespace {

TEST(ChannelGroups, ShrinksByOneGroupDownToTheFloor) {
  const ChannelGroups groups{.unit = {2, 4}};
  EXPECT_EQ(groups.shrink({{16, 32}}, 0, 1), (Subnet{{14, 32}}));
  EXPECT_EQ(groups.shrink({{16, 32}}, 1, 7), (Subnet{{16, 28}}));
  EXPECT_EQ(groups.shrink({{16, 28}}, 1, 7), std::nullopt);
  EXPECT_EQ(groups.shrink({{2, 32}}, 0, 1), std::nullopt);
}

TEST(ChannelGroups, NamesTheDimensionThatCannotBeCut) {
  const Graph graph = *make_network({.name = "resnet8", .input = {3, 32, 32}});
  EXPECT_EQ(divide_channels(graph, 8)->unit, (std::vector<int>{2, 2, 4, 4, 8, 8}));
  EXPECT_EQ(uniform_subnet(*divide_channels(graph, 8), 2), (Subnet{{4, 4, 8, 8, 16, 16}}));
  const auto uneven = divide_channels(graph, 5);
  ASSERT_FALSE(uneven);
  EXPECT_THAT(uneven.error().message, ::testing::HasSubstr("the 16 channels of 'stem' cannot be cut into 5"));
}

}  // namespace
}  // namespace concertina
