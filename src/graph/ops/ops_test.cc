#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/network.h"

namespace concertina {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <typename T>
std::string refusal(const T& op, const std::vector<Shape>& inputs) {
  const auto shape = op.output_shape(inputs);
  return shape ? "accepted: " + to_string(*shape) : shape.error().message;
}

TEST(Ops, ASecondOperandMayBeSpread) {
  const Shape map{4, 3, 2};
  for (const Shape& other : {map, Shape{4, 1, 1}, Shape{1, 3, 2}, Shape{1, 1, 1}}) {
    const Shape inputs[] = {map, other};
    EXPECT_EQ(*op::Mul().output_shape(inputs), map) << to_string(other);
  }
  EXPECT_THAT(refusal(op::Add(), {map, {2, 3, 2}}), HasSubstr("do not fit together"));
  EXPECT_THAT(refusal(op::Add(), {map, {4, 3, 1}}), HasSubstr("do not fit together"));
  EXPECT_THAT(refusal(op::Add(), {{1, 3, 2}, map}), HasSubstr("do not fit together"));
}

TEST(Ops, ShufflesMoveChannels) {
  op::ChannelShuffle shuffle;
  for (const int groups : {1, 6}) {
    shuffle.groups = groups;
    EXPECT_THAT(refusal(shuffle, {{6, 1, 1}}), HasSubstr("moves no channel"));
  }
  shuffle.groups = 4;
  EXPECT_THAT(refusal(shuffle, {{6, 1, 1}}), HasSubstr("do not divide 6"));
}

TEST(Ops, DilatedWindowsReachFurther) {
  Window window = Window::square(3, 1, 2);
  window.dilation_h = window.dilation_w = 2;
  EXPECT_EQ(*window.slide_over({1, 5, 5}), (Shape{1, 5, 5}));
  op::MaxPool pool;
  pool.window = {.kernel_h = 2, .pad_top = 1, .pad_bottom = 1, .dilation_h = 2};
  EXPECT_EQ(refusal(pool, {{1, 2, 1}}), "accepted: 1x2x1");
  EXPECT_THAT(refusal(pool, {{1, 1, 1}}), HasSubstr("sees only padding in some places"));
}

TEST(Ops, ATransposedConvolutionSlidesOverADilatedMap) {
  op::Conv conv;
  conv.in_channels = 4;
  conv.out_channels = 6;
  conv.window = Window::square(3, 1, 1);
  conv.input_dilation_h = conv.input_dilation_w = 2;
  EXPECT_EQ(refusal(conv, {{4, 3, 5}}), "accepted: 6x5x9");
  EXPECT_EQ(conv.macs({4, 3, 5}, {6, 5, 9}), 3 * 5 * 4 * 6 * 9) << "zeros cost nothing";
  conv.window.pad_bottom = 3;
  EXPECT_EQ(refusal(conv, {{4, 3, 5}}), "accepted: 6x7x9");
  conv.window.pad_bottom = 4;
  EXPECT_THAT(refusal(conv, {{4, 3, 5}}), HasSubstr("does not reach"));
  conv.window = Window::square(3, 1, 3);
  EXPECT_THAT(refusal(conv, {{4, 3, 5}}), HasSubstr("does not reach"));
  conv.window = Window::square(3, 2, 1);
  EXPECT_THAT(refusal(conv, {{4, 3, 5}}), HasSubstr("leaves out pixels"));
}

TEST(Ops, PadsShowPixelsOfTheMap) {
  op::Pad pad;
  pad.top = 2;
  pad.bottom = 1;
  EXPECT_EQ(refusal(pad, {{1, 3, 1}}), "accepted: 1x6x1");
  const auto rows = [&](op::Pad::Mode mode) {
    pad.mode = mode;
    std::vector<int> sources;
    for (int i = 0; i < 6; ++i) sources.push_back(pad.source(i, pad.top, 3));
    return sources;
  };
  EXPECT_THAT(rows(op::Pad::Mode::constant), ElementsAre(-1, -1, 0, 1, 2, -1));
  EXPECT_THAT(rows(op::Pad::Mode::edge), ElementsAre(0, 0, 0, 1, 2, 2));
  EXPECT_THAT(rows(op::Pad::Mode::reflect), ElementsAre(2, 1, 0, 1, 2, 1));
  EXPECT_THAT(refusal(pad, {{1, 2, 1}}), HasSubstr("reflects more than there is"));
}

TEST(Ops, PadsBelowZeroCut) {
  op::Pad pad;
  pad.top = -1;
  pad.bottom = 2;
  EXPECT_EQ(refusal(pad, {{1, 3, 1}}), "accepted: 1x4x1");
  EXPECT_EQ(pad.source(0, pad.top, 3), 1);
  EXPECT_EQ(pad.source(2, pad.top, 3), -1);
  pad.bottom = -2;
  EXPECT_THAT(refusal(pad, {{1, 3, 1}}), HasSubstr("cuts off all of 1x3x1"));
  pad.mode = op::Pad::Mode::edge;
  EXPECT_THAT(refusal(pad, {{1, 9, 1}}), HasSubstr("cuts a map that it also repeats"));
}

TEST(Ops, ResizeTakesTheNearestPixelsOrLiesBetweenThem) {
  op::Resize resize;
  resize.height = 4;
  resize.scale_h = 2;
  std::vector<int> nearest;
  for (const auto& tap : resize.rows(2)) nearest.push_back(tap.first);
  EXPECT_THAT(nearest, ElementsAre(0, 0, 1, 1));
  resize.mode = op::Resize::Mode::linear;
  resize.coordinates = op::Resize::Coordinates::half_pixel;
  std::vector<float> places;
  for (const auto& [first, second, share] : resize.rows(2))
    places.push_back(static_cast<float>(first) + share);
  EXPECT_THAT(places, ElementsAre(0, 0.25F, 0.75F, 1));
  resize.coordinates = op::Resize::Coordinates::align_corners;
  EXPECT_FLOAT_EQ(resize.rows(2)[1].share, 1.0F / 3);
}

// A slice begins where the sub-net's channels before it end.
TEST(Ops, ASliceMovesInASubnet) {
  op::Input input;
  input.shape = {3, 1, 1};
  op::Conv conv;
  conv.in_channels = 3;
  conv.out_channels = 10;
  op::Slice slice;
  slice.begin = 4;
  slice.end = 10;
  op::Conv last;
  last.in_channels = 6;
  last.out_channels = 2;
  const Graph graph =
      *Graph::make({{"x", input, {}}, {"a", conv, {0}}, {"part", slice, {1}}, {"out", last, {2}}});
  Weights weights;
  for (NodeId id = 0; id < graph.size(); ++id) {
    for (const Parameter& parameter : parameters(graph, id)) {
      std::size_t count = 1;
      for (const int size : parameter.shape) count *= static_cast<std::size_t>(size);
      weights[parameter_name(graph.node(id), parameter)] = {parameter.shape, std::vector<float>(count, 1)};
    }
  }
  const Network part = extract({graph, weights}, {{3, 5}}, {});
  const auto& cut = std::get<op::Slice>(part.graph.node(2).op);
  EXPECT_EQ(cut.begin, 3);
  EXPECT_EQ(cut.end, 8);
  EXPECT_TRUE(check_weights(part.graph, part.weights));
}

/// An image, a convolution to `channels`, the op, a convolution.
template <typename T>
Graph around(const T& op, int channels) {
  op::Input input;
  input.shape = {3, 4, 4};
  op::Conv first, last;
  first.in_channels = 3;
  first.out_channels = channels;
  const Shape map[] = {{channels, 4, 4}};
  last.in_channels = op.output_shape(map)->channels;
  last.out_channels = 2;
  return *Graph::make({{"x", input, {}}, {"a", first, {0}}, {"op", op, {1}}, {"y", last, {2}}});
}

TEST(Ops, TheChannelsOfABlockShrinkTogether) {
  constexpr auto kDepthLast = op::Blocks::Order::column_row_depth;
  op::DepthToSpace to_space;
  const Graph depth_first = around(to_space, 12);
  EXPECT_EQ(depth_first.shape(2), (Shape{3, 8, 8}));
  EXPECT_EQ(depth_first.layout().free_dimensions, 1);
  EXPECT_EQ(depth_first.layout().dimensions[0].channels, 3);
  EXPECT_EQ(depth_first.axis(1), (ChannelAxis{{0, 1}, {0, 1}, {0, 1}, {0, 1}}));
  EXPECT_EQ(depth_first.axis(2), (ChannelAxis{{0, 1}}));
  to_space.order = kDepthLast;
  const Graph depth_last = around(to_space, 12);
  EXPECT_EQ(depth_last.layout().free_dimensions, 1);
  EXPECT_EQ(depth_last.axis(1), (ChannelAxis{{0, 4}}));
  EXPECT_EQ(depth_last.axis(2), (ChannelAxis{{0, 1}}));

  op::SpaceToDepth to_depth;
  EXPECT_EQ(around(to_depth, 5).axis(2), (ChannelAxis{{0, 1}, {0, 1}, {0, 1}, {0, 1}}));
  to_depth.order = kDepthLast;
  EXPECT_EQ(around(to_depth, 5).axis(2), (ChannelAxis{{0, 4}}));

  EXPECT_THAT(refusal(to_space, {{6, 2, 2}}), HasSubstr("2x2 pixels, but 6 channels arrive"));
  EXPECT_THAT(refusal(to_depth, {{6, 2, 3}}), HasSubstr("2x2 do not divide 6x2x3"));
  to_space.block = to_depth.block = 33;
  EXPECT_THAT(refusal(to_space, {{1089, 1, 1}}), HasSubstr("2 to 32 are supported"));
  EXPECT_THAT(refusal(to_depth, {{1, 33, 33}}), HasSubstr("2 to 32 are supported"));
}

TEST(Ops, TheFirstOutputIsTheMostImportant) {
  op::Input input;
  input.shape = {3, 1, 1};
  const std::vector<Node> nodes = {{"x", input, {}}, {"y", op::relu(), {0}}, {"z", op::relu(), {1}}};
  const Graph graph = *Graph::make(nodes, {2, 1});
  EXPECT_EQ(graph.output(), 2);
  EXPECT_EQ(output_elements(graph), 6);
  EXPECT_THAT(Graph::make(nodes, {0}).error().message, HasSubstr("an input cannot be an output"));
  EXPECT_THAT(Graph::make(nodes, {1, 1}).error().message, HasSubstr("listed twice"));
  EXPECT_THAT(Graph::make(nodes, {3}).error().message, HasSubstr("is no node of it"));
}

}  // namespace
}  // namespace concertina
