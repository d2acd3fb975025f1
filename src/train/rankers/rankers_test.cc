#include "train/rankers/rankers.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "graph/networks/networks.h"
#include "testing/net.h"

namespace concertina::train {
namespace {

Graph graph() {
  return *make_network({.name = "resnet8", .input = {3, 32, 32}});
}

TEST(Ranking, OrdersFromMostToLeastImportant) {
  EXPECT_EQ(importance_order({{0.5, 2.0, 0.5, 1.0}}), (std::vector<std::vector<int>>{{1, 3, 0, 2}}));
}

TEST(Ranking, NoiseHasTwoReadings) {
  const Graph g = graph();
  const NoiseScales noise(g, 0.1, torch::kCPU);
  {
    const torch::NoGradGuard no_grad;
    torch::Tensor(noise.scales()[0])[5] = -0.4;
  }
  EXPECT_EQ(importance_order(noise_importance(noise, recipe::RemoveFirst::largest_noise))[0].back(), 5);
  EXPECT_EQ(importance_order(noise_importance(noise, recipe::RemoveFirst::smallest_noise))[0].front(), 5);
}

TEST(Ranking, L1FindsTheChannelOfSmallWeights) {
  const Graph g = graph();
  Tensors weights = initial_tensors(g, 1);
  weights["stage1.block1.conv1.weight"][7] *= 0.01;
  weights["stage1.block1.conv1.weight"][2] *= 5;
  const auto order = importance_order(filter_l1_importance(g, weights));
  EXPECT_EQ(order[1].back(), 7);
  EXPECT_EQ(order[1].front(), 2);
}

// A stream's producers differ in scale; multiplying one as a whole must not change the order.
TEST(Ranking, L1DoesNotDependOnAProducersScale) {
  const Graph g = graph();
  Tensors weights = initial_tensors(g, 1);
  const auto before = importance_order(filter_l1_importance(g, weights));
  weights["stem.weight"] *= 100;
  EXPECT_EQ(importance_order(filter_l1_importance(g, weights)), before);
}

TEST(Ranking, InputL1FindsTheChannelThatNobodyReads) {
  const Graph g = graph();
  Tensors weights = initial_tensors(g, 1);
  weights["stage1.block1.conv2.weight"].select(1, 4) *= 0.01;
  EXPECT_EQ(importance_order(input_l1_importance(g, weights))[1].back(), 4);
  // A channel of the last stream is read by the classifier alone.
  weights["fc.weight"].select(1, 9) *= 50;
  const auto order = importance_order(input_l1_importance(g, weights));
  bool first_somewhere = false;
  for (const auto& dimension : order) first_somewhere |= dimension.size() == 64 && dimension.front() == 9;
  EXPECT_TRUE(first_somewhere);
}

TEST(Ranking, InputL1CountsADepthwiseFilterForItsChannel) {
  const Graph g = *make_network({.name = "mobilenet_v1", .input = {3, 32, 32}, .width = 0.25});
  Tensors weights = initial_tensors(g, 1);
  NodeId depthwise = 0;
  for (NodeId id = 1; id < g.size() && depthwise == 0; ++id) {
    const auto* conv = std::get_if<op::Conv>(&g.node(id).op);
    if (conv && conv->depthwise()) depthwise = id;
  }
  ASSERT_GT(depthwise, 0);
  weights[g.node(depthwise).name + ".weight"][3] *= 1000;
  const int dimension = g.axis(depthwise)[0].dimension;
  EXPECT_EQ(importance_order(input_l1_importance(g, weights))[dimension].front(), 3);
}

/// Convolutions that read and make several features for each channel of a dimension.
Graph grouped_graph() {
  testing::Net net({3, 4, 4});
  const NodeId before = net.conv("before", testing::kImage, 12, {}, 1, false);
  const NodeId grouped = net.conv("grouped", before, 12, {}, 4, false);
  net.classify(net.conv("doubled", grouped, 24, {}, 12, false), 2);
  return net.build();
}

TEST(Ranking, AChannelOfSeveralFeaturesHasTheScoresOfAll) {
  const Graph g = grouped_graph();
  ASSERT_EQ(g.axis(1), (ChannelAxis{{0, 3}}));  // the channels are the groups
  Tensors weights;
  for (const auto& [name, tensor] : initial_tensors(g, 1)) weights[name] = torch::ones_like(tensor);
  const auto orders_with = [&](const char* name, std::int64_t filter) {
    Tensors changed = weights;
    changed[name] = changed[name].clone();
    changed[name][filter] *= 2;
    return std::pair{importance_order(filter_l1_importance(g, changed))[0][0],
                     importance_order(input_l1_importance(g, changed))[0][0]};
  };
  EXPECT_EQ(orders_with("before.weight", 10).first, 3);
  EXPECT_EQ(orders_with("grouped.weight", 7), (std::pair{2, 2}));
  EXPECT_EQ(orders_with("doubled.weight", 23), (std::pair{3, 3}));
}

TEST(Ranking, NormScaleReadsTheBatchNorms) {
  const Graph g = graph();
  Tensors weights = initial_tensors(g, 1);
  for (auto& [name, tensor] : weights) {
    if (tensor.dim() == 1 && tensor.size(0) == 16 && name.ends_with(".weight")) tensor[11] = -2;
  }
  EXPECT_EQ(importance_order(norm_scale_importance(g, weights))[0].front(), 11);
  EXPECT_EQ(importance_order(norm_scale_importance(g, weights))[1].front(), 11);
}

TEST(Ranking, RandomIsAFunctionOfTheSeed) {
  const Graph g = graph();
  const auto order = importance_order(random_importance(g, 3));
  EXPECT_EQ(order, importance_order(random_importance(g, 3)));
  EXPECT_NE(order, importance_order(random_importance(g, 4)));
}

}  // namespace
}  // namespace concertina::train
