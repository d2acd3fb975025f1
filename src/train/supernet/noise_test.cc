#include "train/supernet/noise.h"

#include <gtest/gtest.h>

#include "graph/networks/networks.h"

namespace concertina::train {
namespace {

Graph noisy_graph() {
  return *make_network({.name = "resnet8", .input = {3, 32, 32}});
}

TEST(NoiseScales, PerturbByScaleTimesTheFiltersSize) {
  const Graph g = noisy_graph();
  const NoiseScales noise(g, 0.25, torch::kCPU);
  const NodeId stem = 1;
  torch::manual_seed(2);
  torch::Tensor weight = torch::randn({16, 3000});
  weight[4] *= 10;
  torch::manual_seed(1);
  const torch::Tensor change = noise.perturb(weight, g, stem, full_subnet(g)) - weight;
  EXPECT_NEAR(change[3].std().item<double>(), 0.25, 0.01);
  EXPECT_NEAR(change[4].std().item<double>(), 2.5, 0.1);
  // Drawn afresh each time.
  EXPECT_FALSE(torch::equal(noise.perturb(weight, g, stem, full_subnet(g)) - weight, change));
  torch::manual_seed(1);
  const torch::Tensor mirrored = noise.perturb(weight, g, stem, full_subnet(g), -1) - weight;
  EXPECT_LT((mirrored + change).abs().max().item<double>(), 1e-5);
}

TEST(NoiseScales, EachChannelHasItsOwn) {
  const Graph g = noisy_graph();
  const NoiseScales noise(g, 0.0, torch::kCPU);
  {
    const torch::NoGradGuard no_grad;
    torch::Tensor(noise.scales()[0])[3] = 1.0;
  }
  const torch::Tensor weight = torch::randn({16, 27});
  const torch::Tensor moved = (noise.perturb(weight, g, 1, full_subnet(g)) - weight).abs().sum(1);
  for (std::int64_t c = 0; c < 16; ++c) EXPECT_EQ(moved[c].item<double>() > 0, c == 3);
}

TEST(NoiseScales, LockedChannelsStayAsTheyAre) {
  const Graph g = noisy_graph();
  const NoiseScales noise(g, 0.5, torch::kCPU);
  const torch::Tensor weight = torch::randn({10, 64});
  EXPECT_TRUE(torch::equal(noise.perturb(weight, g, g.output(), full_subnet(g)), weight));
}

TEST(NoiseScales, TheScalesGetAGradientAndTheDeviationDoesNot) {
  const Graph g = noisy_graph();
  const NoiseScales noise(g, 0.1, torch::kCPU);
  const torch::Tensor weight = torch::randn({16, 27}).requires_grad_();
  noise.perturb(weight, g, 1, full_subnet(g)).sum().backward();
  EXPECT_GT(noise.scales()[0].grad().abs().sum().item<double>(), 0);
  EXPECT_TRUE(torch::equal(weight.grad(), torch::ones_like(weight)));
}

// The barrier's gradient on a is 1 / (a * channels in all): it pushes every scale up, small ones most.
TEST(NoiseScales, MeanLogRewardsNoise) {
  const Graph g = noisy_graph();
  const NoiseScales noise(g, 0.1, torch::kCPU);
  noise.mean_log().backward();
  EXPECT_NEAR(noise.scales()[0].grad()[0].item<double>(), 1 / (0.1 * (16 + 16 + 32 + 32 + 64 + 64)), 1e-5);
}

}  // namespace
}  // namespace concertina::train
