#include "graph/channel_analysis.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/net.h"

namespace concertina {
namespace {

using ::testing::HasSubstr;

using testing::kImage;
using testing::Net;

TEST(ChannelAnalysis, InputAndOutputAreLockedAndSaySo) {
  Net net({3, 4, 4});
  net.conv("out", net.conv("hidden", kImage, 8), 5);
  const Graph graph = net.build();
  const ChannelLayout& layout = graph.layout();
  ASSERT_EQ(layout.free_dimensions, 1);
  EXPECT_EQ(layout.dimensions[0].name, "hidden");
  ASSERT_EQ(layout.dimensions.size(), 3u);
  EXPECT_THAT(layout.dimensions[1].locks[0].text, HasSubstr("'image' is the network's input"));
  EXPECT_THAT(layout.dimensions[2].locks[0].text, HasSubstr("'out' is the network's output"));
}

TEST(ChannelAnalysis, SharedWeightsCoupleWhatTheyReadAndWhatTheyMake) {
  Net net({3, 4, 4});
  const NodeId left = net.conv("left", kImage, 8), right = net.conv("right", kImage, 8);
  const NodeId a = net.conv("a", left, 6), b = net.conv("b", right, 6);
  net.tie(b, a);
  net.conv("out", net.concat("both", {a, b}), 5);
  const Graph graph = net.build();
  ASSERT_EQ(graph.layout().free_dimensions, 2);
  EXPECT_EQ(graph.layout().dimensions[0].producers, (std::vector<NodeId>{left, right}));
  EXPECT_EQ(graph.layout().dimensions[1].producers, (std::vector<NodeId>{a, b}));
  for (int d : {0, 1}) {
    ASSERT_EQ(graph.layout().dimensions[d].couplings.size(), 1u);
    EXPECT_EQ(graph.layout().dimensions[d].couplings[0].text, "'b' uses the weights of 'a'");
  }
}

TEST(ChannelAnalysis, SharedWeightsLockWhatIsCutInUnlikeWays) {
  Net net({3, 4, 4});
  const NodeId grouped = net.conv("grouped", net.conv("stem", kImage, 12), 12, {}, 4);
  const NodeId parts = net.concat("parts", {net.conv("p", kImage, 5), net.conv("q", kImage, 7)});
  const NodeId a = net.conv("a", grouped, 6), b = net.conv("b", parts, 6);
  net.tie(b, a);
  net.conv("out", net.concat("both", {a, b}), 5);
  const Graph graph = net.build();
  ASSERT_EQ(graph.layout().free_dimensions, 1);
  EXPECT_EQ(graph.layout().dimensions[0].name, "a");
  EXPECT_THAT(graph.layout().dimensions[graph.axis(parts)[0].dimension].locks[0].text,
              HasSubstr("'b' uses the weights of 'a' on channels that come from differently cut sources"));
}

TEST(ChannelAnalysis, AddCouplesItsOperandsWithAReason) {
  Net net({3, 4, 4});
  const NodeId a = net.conv("a", kImage, 8);
  const NodeId c = net.conv("b", kImage, 8);
  net.conv("out", net.sum("sum", a, c), 5);
  const Graph graph = net.build();
  ASSERT_EQ(graph.layout().free_dimensions, 1);
  const ChannelDimension& shared = graph.layout().dimensions[0];
  EXPECT_EQ(shared.producers, (std::vector<NodeId>{a, c}));
  ASSERT_EQ(shared.couplings.size(), 1u);
  EXPECT_THAT(shared.couplings[0].text, HasSubstr("'sum' combines the outputs of 'a' and 'b'"));
}

TEST(ChannelAnalysis, AddToTheInputLocks) {
  Net net({8, 4, 4});
  const NodeId a = net.conv("a", kImage, 8);
  net.conv("out", net.sum("sum", a, kImage), 5);
  EXPECT_EQ(net.build().layout().free_dimensions, 0);
}

TEST(ChannelAnalysis, DepthwiseKeepsItsInputsDimensionAndMultipliesIt) {
  Net net({3, 4, 4});
  const NodeId a = net.conv("a", kImage, 8);
  const NodeId same = net.conv("same", a, 8, {}, 8);
  const NodeId twice = net.conv("twice", same, 16, {}, 8);
  net.conv("out", twice, 5);
  const Graph graph = net.build();
  ASSERT_EQ(graph.layout().free_dimensions, 1);
  EXPECT_EQ(graph.axis(same), (ChannelAxis{{0, 1}}));
  EXPECT_EQ(graph.axis(twice), (ChannelAxis{{0, 2}}));
  EXPECT_EQ(graph.layout().dimensions[0].producers, (std::vector<NodeId>{a, same, twice}));
  EXPECT_EQ(active_shape(graph, twice, {{3}}).channels, 6);
}

TEST(ChannelAnalysis, GroupedConvolutionShrinksByGroups) {
  Net net({3, 4, 4});
  const NodeId a = net.conv("a", kImage, 8);
  const NodeId grouped = net.conv("grouped", a, 12, {}, 4);
  net.conv("out", grouped, 5);
  const Graph graph = net.build();
  ASSERT_EQ(graph.layout().free_dimensions, 1);
  const ChannelDimension& groups = graph.layout().dimensions[0];
  EXPECT_EQ(groups.channels, 4);
  EXPECT_EQ(groups.producers, (std::vector<NodeId>{a, grouped}));
  EXPECT_THAT(groups.couplings[0].text, HasSubstr("'grouped' reads its channels in groups of 2"));
  EXPECT_EQ(graph.axis(a), (ChannelAxis{{0, 2}}));
  EXPECT_EQ(graph.axis(grouped), (ChannelAxis{{0, 3}}));
}

TEST(ChannelAnalysis, GroupsOfAResidualStreamCoarsenIt) {
  Net net({3, 4, 4});
  const NodeId a = net.conv("a", kImage, 8);
  const NodeId grouped = net.conv("grouped", net.conv("c", kImage, 8), 8, {}, 2);
  net.conv("out", net.sum("sum", a, grouped), 5);
  const Graph graph = net.build();
  ASSERT_EQ(graph.layout().free_dimensions, 1);
  EXPECT_EQ(graph.layout().dimensions[0].channels, 2);
  EXPECT_EQ(graph.axis(a), (ChannelAxis{{0, 4}}));
}

TEST(ChannelAnalysis, GroupsOverAConcatenationLock) {
  Net net({3, 4, 4});
  const NodeId joined = net.concat("joined", {net.conv("a", kImage, 4), net.conv("b", kImage, 4)});
  net.conv("out", net.conv("grouped", joined, 8, {}, 2), 5);
  const Graph graph = net.build();
  EXPECT_EQ(graph.layout().free_dimensions, 0);
  EXPECT_THAT(graph.layout().dimensions[1].locks[0].text, HasSubstr("do not fit the pieces of its input"));
}

TEST(ChannelAnalysis, ASliceCutsTheLayerBeforeIt) {
  Net net({3, 4, 4});
  const NodeId a = net.conv("a", kImage, 10);
  const NodeId part = net.slice("part", a, 4, 10);
  net.conv("out", net.concat("joined", {net.conv("c", part, 5), a}), 2);
  const Graph graph = net.build();
  ASSERT_EQ(graph.layout().free_dimensions, 3);
  EXPECT_EQ(graph.layout().dimensions[0].name, "a[0:4]");
  EXPECT_EQ(graph.layout().dimensions[1].channels, 6);
  EXPECT_THAT(graph.layout().dimensions[1].couplings[0].text, HasSubstr("'part' takes the channels 4 to 10"));
  EXPECT_EQ(graph.axis(part), (ChannelAxis{{1, 1}}));
  EXPECT_EQ(graph.axis(a), (ChannelAxis{{0, 1}, {1, 1}}));
  EXPECT_EQ(active_shape(graph, part, {{2, 3, 5}}).channels, 3);
}

TEST(ChannelAnalysis, ASliceOfTheInputIsLockedLikeIt) {
  Net net({6, 4, 4});
  net.conv("out", net.conv("a", net.slice("part", kImage, 0, 3), 4), 2);
  const Graph graph = net.build();
  EXPECT_EQ(graph.layout().free_dimensions, 1);
  EXPECT_EQ(graph.layout().dimensions[0].name, "a");
}

TEST(ChannelAnalysis, AttentionCouplesItsFactorsWithTheMap) {
  Net net({3, 4, 4});
  const NodeId joined = net.concat("joined", {net.conv("a", kImage, 4), net.conv("b", kImage, 6)});
  const NodeId pooled = net.global("pooled", joined);
  const NodeId factors = net.conv("excite", net.conv("squeeze", pooled, 2), 10);
  net.conv("out", net.product("scaled", joined, factors), 5);
  const Graph graph = net.build();
  ASSERT_EQ(graph.layout().free_dimensions, 3);  // a, b and squeeze; excite is cut as a and b are
  EXPECT_EQ(graph.axis(factors), graph.axis(joined));
}

TEST(ChannelAnalysis, AMapOfOneChannelIsLocked) {
  Net net({3, 4, 4});
  const NodeId a = net.conv("a", kImage, 8);
  const NodeId mask = net.conv("mask", a, 1);
  net.conv("out", net.product("masked", a, mask), 5);
  const Graph graph = net.build();
  EXPECT_EQ(graph.layout().free_dimensions, 1);
}

TEST(ChannelAnalysis, ShuffledChannelsAreLocked) {
  Net net({3, 4, 4});
  net.conv("out", net.conv("c", net.shuffle("mixed", net.conv("a", kImage, 8), 2), 6), 5);
  const Graph graph = net.build();
  EXPECT_EQ(graph.layout().free_dimensions, 1);
  EXPECT_EQ(graph.layout().dimensions[0].name, "c");
}

// Cuts in every place of a residual stream: each round may find new ones, and the work stays bounded.
TEST(ChannelAnalysis, ManyCutsEnd) {
  Net net({3, 1, 1});
  NodeId x = net.conv("a0", kImage, 3000);
  for (int i = 1; i < 200; ++i) {
    const NodeId part = net.slice(fmt::format("s{}", i), x, 7 * i, 3000);
    const NodeId layer = net.conv(fmt::format("c{}", i), part, 3000);
    x = net.sum(fmt::format("a{}", i), x, layer);
  }
  net.conv("out", x, 5);
  const Graph graph = net.build();
  EXPECT_TRUE(check_subnet(graph, full_subnet(graph)));
}

TEST(ChannelAnalysis, ConcatKeepsSegmentsAndFlattenRepeats) {
  Net net({3, 2, 2});
  const NodeId a = net.conv("a", kImage, 4);
  const NodeId c = net.conv("b", kImage, 6);
  const NodeId joined = net.concat("joined", {a, c});
  const NodeId flat = net.flatten("flat", joined);
  net.linear("out", flat, 5);
  const Graph graph = net.build();
  EXPECT_EQ(graph.axis(joined), (ChannelAxis{{0, 1}, {1, 1}}));
  EXPECT_EQ(graph.axis(flat), (ChannelAxis{{0, 4}, {1, 4}}));

  const auto ranges = graph.layout().active_ranges(graph.axis(flat), {{3, 2}});
  ASSERT_EQ(ranges.size(), 2u);
  EXPECT_EQ(ranges[0].begin, 0);
  EXPECT_EQ(ranges[0].count, 12);
  EXPECT_EQ(ranges[1].begin, 16);
  EXPECT_EQ(ranges[1].count, 8);

  const std::vector<std::vector<int>> orders = {{3, 2, 1, 0}, {}};
  const auto order = graph.layout().feature_order(graph.axis(joined), orders);
  EXPECT_EQ(order, (std::vector<int>{3, 2, 1, 0, 4, 5, 6, 7, 8, 9}));
}

TEST(ChannelAnalysis, AddCutsALayerAsItsOtherOperandIs) {
  Net net({3, 4, 4});
  const NodeId joined = net.concat("joined", {net.conv("a", kImage, 3), net.conv("b", kImage, 5)});
  const NodeId d = net.conv("d", kImage, 8);
  net.conv("out", net.sum("sum", joined, d), 5);
  const Graph graph = net.build();
  EXPECT_EQ(graph.layout().free_dimensions, 2);
  EXPECT_EQ(graph.axis(d), graph.axis(joined));
}

TEST(ChannelAnalysis, AddOfWhatCannotBeCutAlikeLocks) {
  Net net({3, 4, 4});
  const NodeId grouped = net.conv("grouped", net.conv("c", kImage, 8), 8, {}, 2);
  const NodeId joined = net.concat("joined", {net.conv("a", kImage, 3), net.conv("b", kImage, 5)});
  net.conv("out", net.sum("sum", joined, grouped), 5);
  const Graph graph = net.build();
  EXPECT_EQ(graph.layout().free_dimensions, 0);
  EXPECT_THAT(graph.layout().dimensions[1].locks[0].text, HasSubstr("'sum' joins channels"));
}

TEST(ChannelAnalysis, AnOpWithoutARuleLocksItsChannelsAndIsNamed) {
  Net net({3, 4, 4});
  const NodeId before = net.conv("before", kImage, 8);
  const NodeId odd = net.opaque("odd", before, "GridSample", {8, 4, 4});
  const NodeId after = net.conv("after", odd, 6);
  net.conv("out", after, 5);
  const Graph graph = net.build();
  ASSERT_EQ(graph.layout().free_dimensions, 1);
  EXPECT_EQ(graph.layout().dimensions[0].name, "after");
  EXPECT_EQ(graph.layout().dimensions[2].name, "before");
  EXPECT_THAT(graph.layout().dimensions[2].locks[0].text,
              HasSubstr("no channel rule for the op GridSample of 'odd'"));
}

TEST(ChannelAnalysis, SoftmaxLocksWhatItNormalises) {
  Net net({3, 4, 4});
  const NodeId a = net.conv("a", kImage, 8);
  net.conv("out", net.softmax("softmax", a), 5);
  EXPECT_EQ(net.build().layout().free_dimensions, 0);
}

}  // namespace
}  // namespace concertina
