#include "graph/cost.h"

#include <gtest/gtest.h>

#include "graph/channel_groups.h"
#include "graph/networks/networks.h"
#include "testing/net.h"

namespace concertina {
namespace {

double mmacs(const Graph& graph, const Subnet& subnet) {
  return static_cast<double>(cost(graph, subnet).macs) / 1e6;
}

// The published sizes: He et al. 2016, Howard et al. 2017, torchvision's tables.
TEST(Cost, IsThePublishedOne) {
  const auto full = [](const char* name, Shape input, int classes) {
    const Graph graph = *make_network({.name = name, .input = input, .classes = classes});
    return cost(graph, full_subnet(graph));
  };
  const Cost resnet20 = full("resnet20", {3, 32, 32}, 10);
  EXPECT_NEAR(static_cast<double>(resnet20.macs), 40.8e6, 0.1e6);
  EXPECT_NEAR(static_cast<double>(resnet20.parameters), 0.272e6, 0.001e6);
  const Cost resnet18 = full("resnet18", {3, 224, 224}, 1000);
  EXPECT_NEAR(static_cast<double>(resnet18.macs), 1814e6, 1e6);
  EXPECT_EQ(resnet18.parameters, 11'689'512);
  const Cost mobilenet = full("mobilenet_v1", {3, 224, 224}, 1000);
  EXPECT_NEAR(static_cast<double>(mobilenet.macs), 569e6, 1e6);
  EXPECT_NEAR(static_cast<double>(mobilenet.parameters), 4.23e6, 0.01e6);
  // torchvision's vgg11_bn has 2 752 biases before its batch norms, which have no effect and which ours
  // lacks.
  EXPECT_EQ(full("vgg11", {3, 224, 224}, 1000).parameters, 132'868'840 - 2'752);
  EXPECT_EQ(full("alexnet", {3, 224, 224}, 1000).parameters, 61'100'840);
}

TEST(Cost, OfUniformResNet20IsThatOfMethodSection9) {
  const Graph graph = *make_network({.name = "resnet20", .input = {3, 32, 32}});
  const ChannelGroups groups = *divide_channels(graph, 4);
  EXPECT_NEAR(mmacs(graph, uniform_subnet(groups, 3)), 22.9, 0.15);
  EXPECT_NEAR(mmacs(graph, uniform_subnet(groups, 2)), 10.25, 0.1);
  EXPECT_NEAR(mmacs(graph, uniform_subnet(groups, 1)), 2.62, 0.05);
}

// Hand count: 2 of 4 channels of a 3x3 convolution on 1 channel, 8x8 map; depthwise 3x3; 1x1 to 3 outputs.
TEST(Cost, CountsOnlyActiveChannels) {
  testing::Net net({1, 8, 8});
  const NodeId first = net.conv("first", testing::kImage, 4, testing::kThree, 1, false);
  net.conv("last", net.conv("depthwise", first, 4, testing::kThree, 4, false), 3);
  const Cost c = cost(net.build(), {{2}});
  EXPECT_EQ(c.macs, 64 * (2 * 9 + 2 * 9 + 2 * 3));
  EXPECT_EQ(c.parameters, 2 * 9 + 2 * 9 + 2 * 3 + 3);
}

}  // namespace
}  // namespace concertina
