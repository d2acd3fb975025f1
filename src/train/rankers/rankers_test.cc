#include "train/rankers/rankers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "graph/networks/networks.h"
#include "testing/net.h"
#include "train/supernet/tensor_ops.h"

namespace concertina::train {
namespace {

Graph graph() {
  return *make_network({.name = "resnet8", .input = {3, 32, 32}});
}

TEST(Ranking, OrdersFromMostToLeastImportant) {
  EXPECT_EQ(importance_order({{0.5, 2.0, 0.5, 1.0}}), (std::vector<std::vector<int>>{{1, 3, 0, 2}}));
}

TEST(Ranking, AChannelThatBearsNoiseGoesFirst) {
  const Graph g = graph();
  const NoiseScales noise(g, 0.1, torch::kCPU);
  {
    const torch::NoGradGuard no_grad;
    torch::Tensor(noise.scales()[0])[5] = -0.4;
  }
  EXPECT_EQ(importance_order(noise_importance(noise))[0].back(), 5);
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

TEST(Ranking, SharedWeightsCountOnce) {
  testing::Net net({2, 1, 1});
  const NodeId stem = net.conv("stem", testing::kImage, 2);
  const NodeId first = net.conv("first", stem, 2), second = net.conv("second", first, 2);
  net.tie(second, first);
  net.conv("out", second, 1);
  const Graph g = net.build();
  ASSERT_EQ(g.layout().free_dimensions, 1);
  Tensors weights = initial_tensors(g, 1);
  weights["stem.weight"] = torch::tensor({1.0F, 0.0F, 0.0F, 0.0F}).view({2, 2, 1, 1});
  weights["first.weight"] = torch::tensor({0.0F, 0.0F, 3.0F, 0.0F}).view({2, 2, 1, 1});
  const Importance scores = filter_l1_importance(g, weights);
  EXPECT_EQ(scores[0], (std::vector<double>{2, 2}));  // each layer's scores have the mean 1
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

/// A convolution, with a batch norm behind it or not, and a classifier: their loss on some images.
class OneLayer {
 public:
  explicit OneLayer(bool normalised, double size_of_filter_5 = 1) : graph(make(normalised)) {
    Tensors weights = initial_tensors(graph, 1);
    weights.at("conv.weight")[5] *= size_of_filter_5;
    net = *Supernet::make(graph, weights, {});
    loss().backward();
  }

  torch::Tensor loss() const {
    torch::manual_seed(1);
    const torch::Tensor images = torch::randn({16, 3, 6, 6});
    return label_loss(net->forward(images, full_subnet(graph)), torch::arange(16) % 3, 0);
  }

  /// How fast the loss changes with the size of everything that these arrays say of a channel.
  double slope(const std::vector<std::string>& arrays, std::int64_t channel) const {
    constexpr double kStep = 1e-2;
    const torch::NoGradGuard no_grad;
    const auto loss_at = [&](double size) {
      for (const std::string& name : arrays) torch::Tensor(net->weights().at(name))[channel] *= size;
      const double loss = this->loss().item<double>();
      for (const std::string& name : arrays) torch::Tensor(net->weights().at(name))[channel] /= size;
      return loss;
    };
    return (loss_at(1 + kStep) - loss_at(1 - kStep)) / (2 * kStep);
  }

  const Graph graph;
  static constexpr NodeId kConv = 1, kNorm = 2;
  std::optional<Supernet> net;

 private:
  static Graph make(bool normalised) {
    testing::Net net({3, 6, 6});
    NodeId x = net.conv("conv", testing::kImage, 8, {}, 1, false);
    if (normalised) x = net.norm("norm", x, 1e-9F);
    net.classify(net.apply("relu", {}, x), 3);
    return net.build();
  }
};

// The loss does not change with the size of a filter before a batch norm, so what the filter's own gradient
// says of it is rounding.
TEST(Ranking, TaylorLooksAtTheGateBehindABatchNorm) {
  const OneLayer layer(true);
  const torch::Tensor& weight = layer.net->weights().at("conv.weight");
  const torch::Tensor own = (weight * weight.grad()).flatten(1).sum(1).abs();
  EXPECT_LT(own.max().item<double>(),
            1e-3 * weight.norm().item<double>() * weight.grad().norm().item<double>());
  EXPECT_FALSE(taylor_score(*layer.net, OneLayer::kConv).defined());
  const torch::Tensor score = taylor_score(*layer.net, OneLayer::kNorm);
  for (std::int64_t c = 0; c < 8; ++c)
    EXPECT_NEAR(score[c].item<double>(), std::abs(layer.slope({"norm.weight", "norm.bias"}, c)), 2e-4) << c;
  EXPECT_GT(score.max().item<double>(), 1e-2);
}

TEST(Ranking, TaylorLooksAtTheFilterWhereThereIsNoBatchNorm) {
  const OneLayer layer(false);
  const torch::Tensor score = taylor_score(*layer.net, OneLayer::kConv);
  for (std::int64_t c = 0; c < 8; ++c)
    EXPECT_NEAR(score[c].item<double>(), std::abs(layer.slope({"conv.weight"}, c)), 2e-4) << c;
}

TEST(Ranking, FisherDoesNotDependOnAFiltersSizeBehindABatchNorm) {
  const OneLayer plain(true), scaled(true, 0.01);
  const torch::Tensor a = fisher_score(*plain.net, OneLayer::kConv),
                      b = fisher_score(*scaled.net, OneLayer::kConv);
  EXPECT_NEAR((b[5] / a[5]).item<double>(), 1, 0.02);
}

TEST(Ranking, RandomIsAFunctionOfTheSeed) {
  const Graph g = graph();
  const auto order = importance_order(random_importance(g, 3));
  EXPECT_EQ(order, importance_order(random_importance(g, 3)));
  EXPECT_NE(order, importance_order(random_importance(g, 4)));
}

}  // namespace
}  // namespace concertina::train
