#include "graph/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "graph/cost.h"
#include "graph/networks/networks.h"
#include "testing/net.h"

namespace concertina {
namespace {

using ::testing::HasSubstr;

/// Each value tells where it came from: its position in its array.
Weights numbered_weights(const Graph& graph) {
  Weights weights;
  for (NodeId id = 0; id < graph.size(); ++id) {
    for (const Parameter& parameter : parameters(graph, id)) {
      Array array{.shape = parameter.shape, .values = {}};
      int count = 1;
      for (const int size : parameter.shape) count *= size;
      for (int i = 0; i < count; ++i) array.values.push_back(static_cast<float>(i));
      weights[parameter_name(graph.node(id), parameter)] = std::move(array);
    }
  }
  return weights;
}

Graph small_net() {
  return *make_network({.name = "resnet8", .input = {1, 8, 8}, .width = 0.25});
}

TEST(Network, ChecksArraysByNameShapeAndValue) {
  const Graph graph = small_net();
  const Weights good = numbered_weights(graph);
  EXPECT_TRUE(check_weights(graph, good));

  Weights missing = good;
  missing.erase("fc.bias");
  EXPECT_THAT(check_weights(graph, missing).error().message, HasSubstr("'fc.bias' is missing"));
  Weights wrong = good;
  wrong["fc.bias"].shape = {9};
  EXPECT_THAT(check_weights(graph, wrong).error().message,
              HasSubstr("'fc.bias' is 9 where the network needs 10"));
  Weights infinite = good;
  infinite["fc.bias"].values[3] = INFINITY;
  EXPECT_THAT(check_weights(graph, infinite).error().message, HasSubstr("not finite"));
  Weights extra = good;
  extra["other"] = {};
  EXPECT_FALSE(check_weights(graph, extra));
}

/// A convolution that is applied twice in a row, and what makes its input.
Graph twice() {
  testing::Net net({3, 4, 4});
  const NodeId stem = net.conv("stem", testing::kImage, 4);
  const NodeId first = net.conv("first", stem, 4), second = net.conv("second", first, 4);
  net.tie(second, first);
  net.classify(second, 2);
  return net.build();
}

TEST(Network, ASharedArrayIsThereOnce) {
  const Graph graph = twice();
  const Weights weights = numbered_weights(graph);
  EXPECT_TRUE(check_weights(graph, weights));
  EXPECT_FALSE(weights.contains("second.weight"));
  EXPECT_EQ(parameter_name(graph.node(3), "weight"), "first.weight");
  EXPECT_EQ(cost(graph, full_subnet(graph)).parameters, (12 + 4) + (16 + 4) + (8 + 2));
  EXPECT_EQ(cost(graph, full_subnet(graph)).macs, 16 * (12 + 16 + 16) + 8);
  EXPECT_EQ(cost(graph, {{1}}).parameters, (3 + 1) + (1 + 1) + (2 + 2));
}

TEST(Network, ASharedArrayIsReorderedOnce) {
  const Graph graph = twice();
  ASSERT_EQ(graph.layout().free_dimensions, 1);
  const Weights permuted = permute_channels(graph, numbered_weights(graph), {{1, 0, 3, 2}});
  EXPECT_EQ(permuted.at("first.weight").values,
            (std::vector<float>{5, 4, 7, 6, 1, 0, 3, 2, 13, 12, 15, 14, 9, 8, 11, 10}));
  EXPECT_EQ(permuted.at("first.bias").values, (std::vector<float>{1, 0, 3, 2}));
}

TEST(Network, AnExtractedNetworkSharesAsTheWholeDoes) {
  const Graph graph = twice();
  const Network part = extract({graph, numbered_weights(graph)}, {{3}}, {});
  EXPECT_EQ(part.graph.node(3).tied, graph.node(3).tied);
  EXPECT_TRUE(check_weights(part.graph, part.weights));
  EXPECT_EQ(part.weights.at("first.weight").values, (std::vector<float>{0, 1, 2, 4, 5, 6, 8, 9, 10}));
}

// The check goes over whole blocks and then over what is left of them.
TEST(Network, FindsValuesThatAreNotFiniteAnywhere) {
  const Graph graph = small_net();
  const Weights good = numbered_weights(graph);
  const auto largest = std::max_element(good.begin(), good.end(), [](const auto& a, const auto& b) {
    return a.second.values.size() < b.second.values.size();
  });
  const std::size_t size = largest->second.values.size();
  ASSERT_GT(size, 600U);
  for (const std::size_t at : {std::size_t{0}, std::size_t{255}, std::size_t{256}, size - 1}) {
    for (const float value : {INFINITY, -INFINITY, NAN, -NAN}) {
      Weights bad = good;
      bad.at(largest->first).values[at] = value;
      EXPECT_THAT(check_weights(graph, bad).error().message, HasSubstr(largest->first)) << at;
    }
  }
  Weights extreme = good;
  extreme.at(largest->first).values[3] = std::numeric_limits<float>::max();
  extreme.at(largest->first).values[4] = std::numeric_limits<float>::lowest();
  EXPECT_TRUE(check_weights(graph, extreme));
}

TEST(Network, ExtractKeepsThePrefixOfEveryAxis) {
  const Graph graph = small_net();  // widths 4-4-8-8-16-16
  const Subnet subnet{{3, 2, 5, 4, 6, 7}};
  const Weights statistics = {{"stem_bn.running_mean", {{3}, {7, 8, 9}}}};
  const Network part = extract({graph, numbered_weights(graph)}, subnet, statistics);
  ASSERT_TRUE(check_weights(part.graph, part.weights))
      << check_weights(part.graph, part.weights).error().message;
  EXPECT_EQ(full_subnet(part.graph), subnet);
  EXPECT_EQ(part.weights.at("stem_bn.running_mean").values, (std::vector<float>{7, 8, 9}));

  const Array& conv = part.weights.at("stage1.block1.conv1.weight");  // 2 of 4 x 3 of 4 x 3 x 3
  ASSERT_EQ(conv.shape, (std::vector<int>{2, 3, 3, 3}));
  EXPECT_EQ(conv.values[(1 * 3 + 2) * 9 + 4], (1 * 4 + 2) * 9 + 4);
}

TEST(Network, PermutationMovesWhatMakesAndWhatReadsAChannel) {
  const Graph graph = small_net();
  std::vector<std::vector<int>> orders(6);
  orders[1] = {2, 0, 3, 1};  // the inner channels of stage 1
  const Weights permuted = permute_channels(graph, numbered_weights(graph), orders);
  const Array& makes = permuted.at("stage1.block1.conv1.weight");
  EXPECT_EQ(makes.values[0], 2 * 4 * 9);
  EXPECT_EQ(permuted.at("stage1.block1.conv1_bn.bias").values, (std::vector<float>{2, 0, 3, 1}));
  const Array& reads = permuted.at("stage1.block1.conv2.weight");
  EXPECT_EQ(reads.values[0], 2 * 9);
  EXPECT_EQ(reads.values[9], 0);
  EXPECT_EQ(permuted.at("stem.weight"), numbered_weights(graph).at("stem.weight"));
}

}  // namespace
}  // namespace concertina
