#include "graph/channel_analysis.h"

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

TEST(ChannelAnalysis, GroupedConvolutionLocksBothSides) {
  Builder b(3, 4);
  const NodeId a = b.conv("a", 0, 3, 8);
  const NodeId grouped = b.conv("grouped", a, 8, 8, 2);
  b.conv("out", grouped, 8, 5);
  const Graph graph = b.build();
  EXPECT_EQ(graph.layout().free_dimensions, 0);
  EXPECT_THAT(graph.layout().dimensions[1].locks[0].text,
              HasSubstr("'grouped' is a convolution of 2 groups"));
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

TEST(ChannelAnalysis, AddOfDifferentlyCutAxesLocks) {
  Builder b(3, 4);
  const NodeId a = b.conv("a", 0, 3, 4);
  const NodeId c = b.conv("b", 0, 3, 4);
  const NodeId joined = b.add("joined", op::Concat{}, {a, c});
  const NodeId d = b.conv("d", 0, 3, 8);
  b.conv("out", b.add("sum", op::Add{}, {joined, d}), 8, 5);
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
