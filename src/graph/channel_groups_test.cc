#include "graph/channel_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/networks/networks.h"

namespace concertina {
namespace {

TEST(ChannelGroups, ShrinksByOneGroupDownToTheFloor) {
  const ChannelGroups groups(8, {16, 32});
  EXPECT_EQ(groups.shrink({{16, 32}}, 0, 1), (Subnet{{14, 32}}));
  EXPECT_EQ(groups.shrink({{16, 32}}, 1, 7), (Subnet{{16, 28}}));
  EXPECT_EQ(groups.shrink({{16, 28}}, 1, 7), std::nullopt);
  EXPECT_EQ(groups.shrink({{2, 32}}, 0, 1), std::nullopt);
}

TEST(ChannelGroups, EveryNumberOfChannelsCanBeCut) {
  const ChannelGroups groups(8, {29, 3});
  EXPECT_EQ(groups.ends(0), (std::vector<int>{4, 8, 11, 15, 19, 22, 26, 29}));
  EXPECT_EQ(groups.ends(1), (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(groups.shrink({{29, 3}}, 1, 1), (Subnet{{29, 2}}));
  EXPECT_EQ(groups.shrink({{29, 1}}, 1, 1), std::nullopt);
  EXPECT_EQ(uniform_subnet(groups, 2), (Subnet{{8, 1}}));
}

TEST(ChannelGroups, AreMultiplesWhereThereAreSeveral) {
  const ChannelGroups groups(8, {64, 40, 24}, 16);
  EXPECT_EQ(groups.ends(0), (std::vector<int>{16, 32, 48, 64}));
  EXPECT_EQ(groups.ends(1), (std::vector<int>{16, 32, 40}));
  EXPECT_EQ(groups.ends(2), (std::vector<int>{3, 6, 9, 12, 15, 18, 21, 24}));
  EXPECT_EQ(groups.shrink({{64, 40, 24}}, 0, 1), (Subnet{{48, 40, 24}}));
  EXPECT_EQ(groups.shrink({{16, 40, 24}}, 0, 1), std::nullopt);
  EXPECT_EQ(groups.shrink({{48, 40, 24}}, 0, 5), std::nullopt);  // five groups are 48 channels
  EXPECT_EQ(uniform_subnet(groups, 2), (Subnet{{16, 16, 6}}));
}

TEST(ChannelGroups, DividesEveryFreeDimension) {
  const Graph graph = *make_network({.name = "resnet8", .input = {3, 32, 32}});
  const auto groups = divide_channels(graph, 8);
  ASSERT_TRUE(groups);
  EXPECT_EQ(uniform_subnet(*groups, 1), (Subnet{{2, 2, 4, 4, 8, 8}}));
  EXPECT_EQ(uniform_subnet(*groups, 2), (Subnet{{4, 4, 8, 8, 16, 16}}));
  EXPECT_THAT(divide_channels(graph, 0).error().message, ::testing::HasSubstr("at least 1"));
  EXPECT_THAT(divide_channels(graph, 8, 0).error().message, ::testing::HasSubstr("at least 1"));
}

TEST(ChannelGroups, WhatIsKeptWholeIsOneGroup) {
  ChannelGroups groups(4, {8, 12});
  groups.keep_whole(1);
  EXPECT_EQ(groups.ends(1), (std::vector<int>{12}));
  EXPECT_EQ(uniform_subnet(groups, 1).widths, (std::vector<int>{2, 12}));
  EXPECT_FALSE(groups.shrink({{8, 12}}, 1, 1));
  EXPECT_EQ(groups.shrink({{8, 12}}, 0, 1)->widths, (std::vector<int>{6, 12}));
}

TEST(FindDimensions, ByTheNameOfADimensionOrOfALayerOrTheirBeginning) {
  const Graph graph = *make_network({.name = "resnet8", .input = {3, 16, 16}, .classes = 4});
  const auto& dimensions = graph.layout().dimensions;
  EXPECT_EQ(find_dimensions(graph, dimensions[1].name), (std::vector<int>{1}));
  for (const NodeId id : dimensions[0].producers)
    EXPECT_EQ(find_dimensions(graph, graph.node(id).name), (std::vector<int>{0}));
  EXPECT_EQ(find_dimensions(graph, "*").size(), static_cast<std::size_t>(graph.layout().free_dimensions));
  EXPECT_TRUE(find_dimensions(graph, dimensions[1].name + "x").empty());
  const std::string beginning = dimensions[1].name.substr(0, dimensions[1].name.find('.')) + "*";
  EXPECT_GE(find_dimensions(graph, beginning).size(), 1u);
  EXPECT_LT(find_dimensions(graph, beginning).size(),
            static_cast<std::size_t>(graph.layout().free_dimensions));
}

}  // namespace
}  // namespace concertina
