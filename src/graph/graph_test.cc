#include "graph/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/networks/networks.h"

namespace concertina {
namespace {

using ::testing::HasSubstr;

op::Input input(Shape shape) {
  op::Input node;
  node.shape = shape;
  return node;
}

TEST(Graph, FollowsShapesThroughAResNet) {
  const Graph graph = *make_network({.name = "resnet8", .input = {1, 28, 28}});
  EXPECT_EQ(graph.shape(1), (Shape{16, 28, 28}));
  EXPECT_EQ(graph.shape(graph.output()), (Shape{10, 1, 1}));
  EXPECT_EQ(active_shape(graph, 1, {{4, 1, 1, 1, 1, 1}}), (Shape{4, 28, 28}));
}

TEST(Graph, NamesTheNodeThatDoesNotFit) {
  op::Conv conv;
  conv.in_channels = 4;
  conv.out_channels = 2;
  const auto graph = Graph::make({{"x", input({3, 8, 8}), {}}, {"c", conv, {0}}});
  ASSERT_FALSE(graph);
  EXPECT_THAT(graph.error().message,
              HasSubstr("node 'c' (Conv): its weights expect 4 input channels, but 3"));
}

TEST(Graph, RefusesBadStructure) {
  const Node x{"x", input({3, 8, 8}), {}};
  EXPECT_FALSE(Graph::make({}));
  EXPECT_FALSE(Graph::make({x}));
  EXPECT_FALSE(Graph::make({x, x}));
  EXPECT_FALSE(Graph::make({x, {"r", op::relu(), {}}}));
  EXPECT_FALSE(Graph::make({x, {"r", op::relu(), {1}}}));
  EXPECT_FALSE(Graph::make({x, {"r", op::relu(), {-1}}}));
  EXPECT_FALSE(Graph::make({x, {"x", op::relu(), {0}}}));
  EXPECT_FALSE(Graph::make({x, {"a", op::Add{}, {0}}}));
  EXPECT_FALSE(Graph::make({{"r", op::relu(), {0}}, x}));
  EXPECT_TRUE(Graph::make({x, {"r", op::relu(), {0}}}));
}

TEST(Graph, RefusesToShareWhatIsNotAnEarlierEqualArray) {
  op::Conv conv;
  conv.in_channels = conv.out_channels = 3;
  op::Conv other = conv;
  other.bias = true;
  other.window.stride_h = 2;
  op::Conv larger = conv;
  larger.window = Window::square(3);
  op::BatchNorm norm;
  norm.channels = 3;
  const auto make = [](Node a, Node b) {
    return Graph::make({{"x", input({3, 8, 8}), {}}, std::move(a), std::move(b)});
  };
  const auto using_a = [](const char* parameter) {
    return std::map<std::string, std::string>{{parameter, "a"}};
  };
  EXPECT_TRUE(make({"a", conv, {0}}, {"b", other, {1}, using_a("weight")}));
  const auto bad = make({"a", conv, {0}}, {"b", larger, {1}, using_a("weight")});
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().message, HasSubstr("node 'b' (Conv): it cannot use the weight of 'a'"));
  EXPECT_FALSE(make({"a", conv, {0}}, {"b", other, {1}, using_a("bias")}));
  EXPECT_FALSE(make({"a", conv, {0}}, {"b", norm, {1}, using_a("weight")}));
  EXPECT_FALSE(make({"a", norm, {0}}, {"b", norm, {1}, using_a("running_mean")}));
  EXPECT_FALSE(make({"b", conv, {0}, using_a("weight")}, {"a", conv, {1}}));
  EXPECT_FALSE(make({"a", conv, {0}, using_a("weight")}, {"b", conv, {1}}));
  const Node first{"a", conv, {0}}, second{"b", conv, {0}, using_a("weight")};
  EXPECT_FALSE(
      Graph::make({{"x", input({3, 8, 8}), {}}, first, second, {"c", conv, {0}, {{"weight", "b"}}}}));
}

TEST(Graph, RefusesWindowsThatDoNotFit) {
  op::MaxPool pool;
  pool.window = Window::square(9);
  const auto graph = Graph::make({{"x", input({3, 8, 8}), {}}, {"p", pool, {0}}});
  ASSERT_FALSE(graph);
  EXPECT_THAT(graph.error().message, HasSubstr("9x9 window does not fit into 3x8x8"));
}

TEST(Graph, SaysWhatIsWrongWithASubnet) {
  const Graph graph = *make_network({.name = "resnet8", .input = {1, 28, 28}});
  EXPECT_TRUE(check_subnet(graph, full_subnet(graph)));
  EXPECT_THAT(check_subnet(graph, {{16, 16}}).error().message, HasSubstr("has 2 widths"));
  EXPECT_THAT(check_subnet(graph, {{17, 16, 32, 32, 64, 64}}).error().message,
              HasSubstr("keeps 17 channels of 'stem', which has 16"));
  EXPECT_FALSE(check_subnet(graph, {{0, 16, 32, 32, 64, 64}}));
}

}  // namespace
}  // namespace concertina
