#include "train/supernet/supernet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/networks/networks.h"
#include "testing/net.h"

namespace concertina::train {
namespace {

Graph network(const char* name) {
  return *make_network({.name = name, .input = {3, 32, 32}, .classes = 5, .width = 0.25});
}

/// Two thirds of every width: on no boundary that code might favour.
Subnet smaller(const Graph& graph) {
  Subnet subnet = full_subnet(graph);
  for (int& width : subnet.widths) width = (width * 2 + 2) / 3;
  return subnet;
}

double largest_difference(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).abs().max().item<double>() / b.abs().max().item<double>();
}

class SupernetTest : public ::testing::TestWithParam<const char*> {};

TEST_P(SupernetTest, ASubnetComputesWhatItsExtractedNetworkDoes) {
  const Graph graph = network(GetParam());
  const Tensors weights = initial_tensors(graph, 1);
  const Supernet net = *Supernet::make(graph, weights, {});
  const Subnet subnet = smaller(graph);
  const torch::Tensor images = torch::randn({4, 3, 32, 32});
  StatisticsCollector collector;
  net.forward(images, subnet, {.collector = &collector});
  const Tensors statistics = collector.result();

  const Network part = extract({graph, to_weights(weights)}, subnet, to_weights(statistics));
  const Supernet alone = *Supernet::make(part.graph, to_tensors(part.weights, torch::kCPU), {});
  const Tensors fixed = to_tensors(part.weights, torch::kCPU);
  EXPECT_LT(largest_difference(net.forward(images, subnet, {.statistics = &statistics}),
                               alone.forward(images, full_subnet(part.graph), {.statistics = &fixed})),
            1e-5);
}

TEST_P(SupernetTest, RemembersNothingOfOtherSubnets) {
  const Graph graph = network(GetParam());
  const Supernet net = *Supernet::make(graph, initial_tensors(graph, 1), {});
  const torch::NoGradGuard no_grad;
  const torch::Tensor images = torch::randn({4, 3, 32, 32});
  const torch::Tensor before = net.forward(images, full_subnet(graph));
  const torch::Tensor other = net.forward(images, smaller(graph));
  EXPECT_TRUE(torch::equal(net.forward(images, full_subnet(graph)), before));
  EXPECT_FALSE(torch::equal(other, before));
}

TEST_P(SupernetTest, GradientsReachOnlyActiveChannels) {
  const Graph graph = network(GetParam());
  const Supernet net = *Supernet::make(graph, initial_tensors(graph, 1), {});
  const Subnet subnet = smaller(graph);
  net.forward(torch::randn({4, 3, 32, 32}), subnet).square().sum().backward();
  const NodeId first = 1;  // the first convolution, whose output dimension is free
  const torch::Tensor gradient = net.weights().at(graph.node(first).name + ".weight").grad();
  const std::int64_t active = active_shape(graph, first, subnet).channels;
  ASSERT_LT(active, gradient.size(0));
  EXPECT_GT(gradient.narrow(0, 0, active).abs().sum().item<double>(), 0);
  EXPECT_EQ(gradient.narrow(0, active, gradient.size(0) - active).abs().sum().item<double>(), 0);
}

TEST_P(SupernetTest, Bf16IsCloseToFp32) {
  const Graph graph = network(GetParam());
  const Supernet net = *Supernet::make(graph, initial_tensors(graph, 1), {});
  const torch::NoGradGuard no_grad;
  // Many images: over few, the batch statistics of 1x1 maps would magnify every rounding.
  const torch::Tensor images = torch::randn({64, 3, 32, 32});
  const torch::Tensor exact = net.forward(images, full_subnet(graph));
  const Supernet coarse = *Supernet::make(graph, net.weights(), Compute{}.with(Precision::bf16));
  const torch::Tensor rounded = coarse.forward(images, full_subnet(graph));
  const double difference = ((rounded - exact).norm() / exact.norm()).item<double>();
  EXPECT_GT(difference, 0);
  int layers = 0;
  for (const Node& node : graph.nodes()) {
    layers +=
        std::holds_alternative<op::Conv>(node.op) || std::holds_alternative<op::Linear>(node.op) ? 1 : 0;
  }
  // bf16 has 8 bits; each layer rounds its input, weights and output, and batch norm passes the error on.
  EXPECT_LT(difference, 0.01 * layers);
}

INSTANTIATE_TEST_SUITE_P(Networks, SupernetTest,
                         ::testing::Values("resnet8", "vgg11", "alexnet", "mobilenet_v1", "resnet18"));

TEST(Supernet, RefusesWhatItCannotTrain) {
  const Graph graph = network("resnet8");
  Tensors weights = initial_tensors(graph, 1);
  weights.erase("fc.bias");
  EXPECT_THAT(Supernet::make(graph, weights, {}).error().message, ::testing::HasSubstr("'fc.bias'"));

  testing::Net odd({3, 4, 4});
  odd.opaque("odd", testing::kImage, "GridSample", {3, 4, 4});
  EXPECT_THAT(Supernet::make(odd.build(), {}, {}).error().message,
              ::testing::HasSubstr("GridSample cannot be trained"));
}

TEST(Supernet, GradientsOfAllUsesOfAnArrayAddUp) {
  const auto graph = [](bool tied) {
    testing::Net net({4, 5, 5});
    const NodeId first = net.conv("first", testing::kImage, 4, testing::kThree);
    const NodeId second = net.conv("second", net.relu("between", first), 4, testing::kThree);
    if (tied) net.tie(second, first);
    return net.build();
  };
  Tensors weights = initial_tensors(graph(true), 1);
  EXPECT_EQ(weights.size(), 2u);
  const Supernet once = *Supernet::make(graph(true), weights, {});
  for (const char* parameter : {".weight", ".bias"})
    weights[std::string("second") + parameter] = weights[std::string("first") + parameter];
  const Supernet twice = *Supernet::make(graph(false), weights, {});
  const torch::Tensor x = torch::randn({2, 4, 5, 5});
  for (const Supernet* net : {&once, &twice})
    net->forward(x, full_subnet(net->graph())).square().sum().backward();
  for (const std::string parameter : {".weight", ".bias"}) {
    const torch::Tensor sum =
        twice.weights().at("first" + parameter).grad() + twice.weights().at("second" + parameter).grad();
    EXPECT_TRUE(torch::allclose(once.weights().at("first" + parameter).grad(), sum, 1e-4, 1e-4));
  }
}

TEST(StatisticsCollector, AveragesMeansAndUnbiasedVariances) {
  StatisticsCollector collector;
  collector.add("n", torch::tensor({1.0F, 2.0F}), torch::tensor({4.0F, 4.0F}));
  collector.add("n", torch::tensor({3.0F, 2.0F}), torch::tensor({2.0F, 8.0F}));
  EXPECT_TRUE(torch::equal(collector.result().at("n.running_mean"), torch::tensor({2.0F, 2.0F})));
  EXPECT_TRUE(torch::equal(collector.result().at("n.running_var"), torch::tensor({3.0F, 6.0F})));
}

}  // namespace
}  // namespace concertina::train
