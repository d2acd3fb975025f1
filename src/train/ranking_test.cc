#include "train/ranking.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "graph/networks/networks.h"

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
  EXPECT_EQ(importance_order(noise_importance(noise, RemoveFirst::largest_noise))[0].back(), 5);
  EXPECT_EQ(importance_order(noise_importance(noise, RemoveFirst::smallest_noise))[0].front(), 5);
}

TEST(Ranking, L1FindsTheChannelOfSmallWeights) {
  const Graph g = graph();
  Tensors weights = initial_tensors(g, 1);
  weights["stage1.block1.conv1.weight"][7] *= 0.01;
  weights["stage1.block1.conv1.weight"][2] *= 5;
  const auto order = importance_order(l1_importance(g, weights));
  EXPECT_EQ(order[1].back(), 7);
  EXPECT_EQ(order[1].front(), 2);
}

// A stream's producers differ in scale; multiplying one as a whole must not change the order.
TEST(Ranking, L1DoesNotDependOnAProducersScale) {
  const Graph g = graph();
  Tensors weights = initial_tensors(g, 1);
  const auto before = importance_order(l1_importance(g, weights));
  weights["stem.weight"] *= 100;
  EXPECT_EQ(importance_order(l1_importance(g, weights)), before);
}

TEST(Ranking, RandomIsAFunctionOfTheSeed) {
  const Graph g = graph();
  const auto order = importance_order(random_importance(g, 3));
  EXPECT_EQ(order, importance_order(random_importance(g, 3)));
  EXPECT_NE(order, importance_order(random_importance(g, 4)));
}

}  // namespace
}  // namespace concertina::train
