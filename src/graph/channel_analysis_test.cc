#include "graph/channel_analysis.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/graph.h"

namespace concertina {
namespace {

using ::testing::HasSubstr;

class Builder {
 public:
  Builder(int channels, int size) {
    op::Input input;
    input.shape = {channels, size, size};
    builder_.add("x", input);
  }
  NodeId conv(const char* name, NodeId x, int in, int out, int groups = 1) {
    op::Conv conv;
    conv.in_channels = in;
    conv.out_channels = out;
    conv.groups = groups;
    return builder_.add(name, conv, {x});
  }
  NodeId add(const char* name, Op op, std::vector<NodeId> inputs) {
    return builder_.add(name, std::move(op), std::move(inputs));
  }
  Graph build() {
    auto graph = std::move(builder_).build();
    EXPECT_TRUE(graph) << graph.error().message;
    return std::move(graph).value();
  }

 private:
  GraphBuilder builder_;
};

TEST(ChannelAnalysis, InputAndOutputAreLockedAndSaySo) {
  Builder b(3, 4);
  b.conv("out", b.conv("hidden", 0, 3, 8), 8, 5);
  const Graph graph = b.build();
  const ChannelLayout& layout = graph.layout();
  ASSERT_EQ(layout.free_dimensions, 1);
  EXPECT_EQ(layout.dimensions[0].name, "hidden");
  ASSERT_EQ(layout.dimensions.size(), 3u);
  EXPECT_THAT(layout.dimensions[1].locks[0].text, HasSubstr("'x' is the network's input"));
  EXPECT_THAT(layout.dimensions[2].locks[0].text, HasSubstr("'out' is the network's output"));
}

TEST(ChannelAnalysis, AddCouplesItsOperandsWithAReason) {
  Builder b(3, 4);
  const NodeId a = b.conv("a", 0, 3, 8);
  const NodeId c = b.conv("b", 0, 3, 8);
  b.conv("out", b.add("sum", op::Add{}, {a, c}), 8, 5);
  const Graph graph = b.build();
  ASSERT_EQ(graph.layout().free_dimensions, 1);
  const ChannelDimension& shared = graph.layout().dimensions[0];
  EXPECT_EQ(shared.producers, (std::vector<NodeId>{a, c}));
  ASSERT_EQ(shared.couplings.size(), 1u);
  EXPECT_THAT(shared.couplings[0].text, HasSubstr("'sum' combines the outputs of 'a' and 'b'"));
}

TEST(ChannelAnalysis, AddToTheInputLocks) {
  Builder b(8, 4);
  const NodeId a = b.conv("a", 0, 8, 8);
  b.conv("out", b.add("sum", op::Add{}, {a, 0}), 8, 5);
  EXPECT_EQ(b.build().layout().free_dimensions, 0);
}

TEST(ChannelAnalysis, DepthwiseKeepsItsInputsDimensionAndMultipliesIt) {
  Builder b(3, 4);
  const NodeId a = b.conv("a", 0, 3, 8);
  const NodeId same = b.conv("same", a, 8, 8, 8);
  const NodeId twice = b.conv("twice", same, 8, 16, 8);
  b.conv("out", twice, 16, 5);
  const Graph graph = b.build();
  ASSERT_EQ(graph.layout().free_dimensions, 1);
  EXPECT_EQ(graph.axis(same), (ChannelAxis{{0, 1}}));
  EXPECT_EQ(graph.axis(twice), (ChannelAxis{{0, 2}}));
  EXPECT_EQ(graph.layout().dimensions[0].producers, (std::vector<NodeId>{a, same, twice}));
  EXPECT_EQ(active_shape(graph, twice, {{3}}).channels, 6);
}

TEST(ChannelAnalysis, GroupedConvolutionShrinksByGroups) {
  Builder b(3, 4);
  const NodeId a = b.conv("a", 0, 3, 8);
  const NodeId grouped = b.conv("grouped", a, 8, 12, 4);
  b.conv("out", grouped, 12, 5);
  const Graph graph = b.build();
  ASSERT_EQ(graph.layout().free_dimensions, 1);
  const ChannelDimension& groups = graph.layout().dimensions[0];
  EXPECT_EQ(groups.channels, 4);
  EXPECT_EQ(groups.producers, (std::vector<NodeId>{a, grouped}));
  EXPECT_THAT(groups.couplings[0].text, HasSubstr("'grouped' reads its channels in groups of 2"));
  EXPECT_EQ(graph.axis(a), (ChannelAxis{{0, 2}}));
  EXPECT_EQ(graph.axis(grouped), (ChannelAxis{{0, 3}}));
}

TEST(ChannelAnalysis, GroupsOfAResidualStreamCoarsenIt) {
  Builder b(3, 4);
  const NodeId a = b.conv("a", 0, 3, 8);
  const NodeId grouped = b.conv("grouped", b.conv("c", 0, 3, 8), 8, 8, 2);
  b.conv("out", b.add("sum", op::Add{}, {a, grouped}), 8, 5);
  const Graph graph = b.build();
  ASSERT_EQ(graph.layout().free_dimensions, 1);
  EXPECT_EQ(graph.layout().dimensions[0].channels, 2);
  EXPECT_EQ(graph.axis(a), (ChannelAxis{{0, 4}}));
}

TEST(ChannelAnalysis, GroupsOverAConcatenationLock) {
  Builder b(3, 4);
  const NodeId joined = b.add("joined", op::Concat{}, {b.conv("a", 0, 3, 4), b.conv("b", 0, 3, 4)});
  b.conv("out", b.conv("grouped", joined, 8, 8, 2), 8, 5);
  const Graph graph = b.build();
  EXPECT_EQ(graph.layout().free_dimensions, 0);
  EXPECT_THAT(graph.layout().dimensions[1].locks[0].text, HasSubstr("do not fit the pieces of its input"));
}

TEST(ChannelAnalysis, ASliceCutsTheLayerBeforeIt) {
  Builder b(3, 4);
  const NodeId a = b.conv("a", 0, 3, 10);
  op::Slice slice;
  slice.begin = 4;
  slice.end = 10;
  const NodeId part = b.add("part", slice, {a});
  b.conv("out", b.add("joined", op::Concat{}, {b.conv("c", part, 6, 5), a}), 15, 2);
  const Graph graph = b.build();
  ASSERT_EQ(graph.layout().free_dimensions, 3);
  EXPECT_EQ(graph.layout().dimensions[0].name, "a[0:4]");
  EXPECT_EQ(graph.layout().dimensions[1].channels, 6);
  EXPECT_THAT(graph.layout().dimensions[1].couplings[0].text, HasSubstr("'part' takes the channels 4 to 10"));
  EXPECT_EQ(graph.axis(part), (ChannelAxis{{1, 1}}));
  EXPECT_EQ(graph.axis(a), (ChannelAxis{{0, 1}, {1, 1}}));
  EXPECT_EQ(active_shape(graph, part, {{2, 3, 5}}).channels, 3);
}

TEST(ChannelAnalysis, ASliceOfTheInputIsLockedLikeIt) {
  Builder b(6, 4);
  op::Slice slice;
  slice.end = 3;
  b.conv("out", b.conv("a", b.add("part", slice, {0}), 3, 4), 4, 2);
  const Graph graph = b.build();
  EXPECT_EQ(graph.layout().free_dimensions, 1);
  EXPECT_EQ(graph.layout().dimensions[0].name, "a");
}

TEST(ChannelAnalysis, AttentionCouplesItsFactorsWithTheMap) {
  Builder b(3, 4);
  const NodeId joined = b.add("joined", op::Concat{}, {b.conv("a", 0, 3, 4), b.conv("b", 0, 3, 6)});
  const NodeId pooled = b.add("pooled", op::GlobalAveragePool{}, {joined});
  const NodeId factors = b.conv("excite", b.conv("squeeze", pooled, 10, 2), 2, 10);
  b.conv("out", b.add("scaled", op::Mul{}, {joined, factors}), 10, 5);
  const Graph graph = b.build();
  ASSERT_EQ(graph.layout().free_dimensions, 3);  // a, b and squeeze; excite is cut as a and b are
  EXPECT_EQ(graph.axis(factors), graph.axis(joined));
}

TEST(ChannelAnalysis, AMapOfOneChannelIsLocked) {
  Builder b(3, 4);
  const NodeId a = b.conv("a", 0, 3, 8);
  const NodeId mask = b.conv("mask", a, 8, 1);
  b.conv("out", b.add("masked", op::Mul{}, {a, mask}), 8, 5);
  const Graph graph = b.build();
  EXPECT_EQ(graph.layout().free_dimensions, 1);
}

TEST(ChannelAnalysis, ShuffledChannelsAreLocked) {
  Builder b(3, 4);
  op::ChannelShuffle shuffle;
  shuffle.groups = 2;
  b.conv("out", b.conv("c", b.add("mixed", shuffle, {b.conv("a", 0, 3, 8)}), 8, 6), 6, 5);
  const Graph graph = b.build();
  EXPECT_EQ(graph.layout().free_dimensions, 1);
  EXPECT_EQ(graph.layout().dimensions[0].name, "c");
}

// Cuts in every place of a residual stream: each round may find new ones, and the work stays bounded.
TEST(ChannelAnalysis, ManyCutsEnd) {
  Builder b(3, 1);
  NodeId x = b.conv("a0", 0, 3, 3000);
  for (int i = 1; i < 200; ++i) {
    op::Slice slice;
    slice.begin = 7 * i;
    slice.end = 3000;
    const NodeId part = b.add(fmt::format("s{}", i).c_str(), slice, {x});
    const NodeId layer = b.conv(fmt::format("c{}", i).c_str(), part, 3000 - 7 * i, 3000);
    x = b.add(fmt::format("a{}", i).c_str(), op::Add{}, {x, layer});
  }
  b.conv("out", x, 3000, 5);
  const Graph graph = b.build();
  EXPECT_TRUE(check_subnet(graph, full_subnet(graph)));
}

TEST(ChannelAnalysis, ConcatKeepsSegmentsAndFlattenRepeats) {
  Builder b(3, 2);
  const NodeId a = b.conv("a", 0, 3, 4);
  const NodeId c = b.conv("b", 0, 3, 6);
  const NodeId joined = b.add("joined", op::Concat{}, {a, c});
  op::Flatten flatten;
  flatten.pixels = 4;
  const NodeId flat = b.add("flat", flatten, {joined});
  op::Linear linear;
  linear.in_features = 40;
  linear.out_features = 5;
  b.add("out", linear, {flat});
  const Graph graph = b.build();
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
  Builder b(3, 4);
  const NodeId joined = b.add("joined", op::Concat{}, {b.conv("a", 0, 3, 3), b.conv("b", 0, 3, 5)});
  const NodeId d = b.conv("d", 0, 3, 8);
  b.conv("out", b.add("sum", op::Add{}, {joined, d}), 8, 5);
  const Graph graph = b.build();
  EXPECT_EQ(graph.layout().free_dimensions, 2);
  EXPECT_EQ(graph.axis(d), graph.axis(joined));
}

TEST(ChannelAnalysis, AddOfWhatCannotBeCutAlikeLocks) {
  Builder b(3, 4);
  const NodeId grouped = b.conv("grouped", b.conv("c", 0, 3, 8), 8, 8, 2);
  const NodeId joined = b.add("joined", op::Concat{}, {b.conv("a", 0, 3, 3), b.conv("b", 0, 3, 5)});
  b.conv("out", b.add("sum", op::Add{}, {joined, grouped}), 8, 5);
  const Graph graph = b.build();
  EXPECT_EQ(graph.layout().free_dimensions, 0);
  EXPECT_THAT(graph.layout().dimensions[1].locks[0].text, HasSubstr("'sum' joins channels"));
}

TEST(ChannelAnalysis, AnOpWithoutARuleLocksItsChannelsAndIsNamed) {
  Builder b(3, 4);
  const NodeId before = b.conv("before", 0, 3, 8);
  op::Opaque opaque;
  opaque.type = "GridSample";
  opaque.shape = {8, 4, 4};
  const NodeId odd = b.add("odd", opaque, {before});
  const NodeId after = b.conv("after", odd, 8, 6);
  b.conv("out", after, 6, 5);
  const Graph graph = b.build();
  ASSERT_EQ(graph.layout().free_dimensions, 1);
  EXPECT_EQ(graph.layout().dimensions[0].name, "after");
  EXPECT_EQ(graph.layout().dimensions[2].name, "before");
  EXPECT_THAT(graph.layout().dimensions[2].locks[0].text,
              HasSubstr("no channel rule for the op GridSample of 'odd'"));
}

TEST(ChannelAnalysis, SoftmaxLocksWhatItNormalises) {
  Builder b(3, 4);
  const NodeId a = b.conv("a", 0, 3, 8);
  b.conv("out", b.add("softmax", op::Softmax{}, {a}), 8, 5);
  EXPECT_EQ(b.build().layout().free_dimensions, 0);
}

}  // namespace
}  // namespace concertina
