#include "graph/resolution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/branches.h"
#include "graph/cost.h"
#include "graph/network.h"
#include "graph/networks/networks.h"
#include "graph/random_weights.h"
#include "testing/graphs.h"
#include "testing/net.h"

namespace concertina {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kImage;
using testing::kOne;
using testing::kThree;
using testing::Net;

Graph resnet18_of(int pixels) {
  return *make_network({.name = "resnet18", .input = {3, pixels, pixels}, .classes = 10, .width = 0.25});
}

/// Why the network cannot run at this resolution.
std::string why(const Graph& graph, int resolution) {
  const Result<Graph> small = at_resolution(graph, resolution);
  return small ? "" : small.error().message;
}

TEST(Scaled, KeepsTheRatioOfTheSides) {
  EXPECT_EQ(scaled({3, 32, 48}, 16), (Shape{3, 16, 24}));
  EXPECT_EQ(scaled({3, 45, 32}, 15), (Shape{3, 21, 15}));
  EXPECT_EQ(scaled({3, 45, 32}, 0), (Shape{3, 45, 32}));
}

TEST(AtResolution, HasTheSameNodesWithSmallerMaps) {
  const Graph graph = testing::resnet8();
  const Graph small = *at_resolution(graph, 24);
  ASSERT_EQ(small.size(), graph.size());
  EXPECT_EQ(small.shape(small.input()), (Shape{3, 24, 24}));
  EXPECT_EQ(small.shape(small.output()), graph.shape(graph.output()));
  for (NodeId id = 0; id < graph.size(); ++id) {
    EXPECT_EQ(small.node(id).name, graph.node(id).name);
    EXPECT_EQ(small.shape(id).channels, graph.shape(id).channels);
  }
  EXPECT_EQ(*at_resolution(small, 24), small);
  EXPECT_EQ(*at_resolution(graph, 0), graph);
  EXPECT_EQ(*at_resolution(graph, 32), graph);
}

TEST(AtResolution, CostsWhatTheSmallNetworkDoes) {
  const Graph graph = testing::resnet8();
  Subnet subnet = full_subnet(graph);
  for (int& width : subnet.widths) width = (width + 1) / 2;
  subnet.resolution = 20;
  const Network part = extract({graph, random_weights(graph)}, subnet, {});
  EXPECT_EQ(part.graph.shape(part.graph.input()), (Shape{3, 20, 20}));
  const Cost alone = cost(part.graph, full_subnet(part.graph)), shared = cost(graph, subnet);
  EXPECT_EQ(shared.macs, alone.macs);
  EXPECT_EQ(shared.parameters, alone.parameters);
  EXPECT_LT(shared.macs, cost(graph, {subnet.widths}).macs * 4 / 9);
}

TEST(AtResolution, GoesWithAbsentBranches) {
  const Graph graph = testing::resnet8();
  const std::vector<Subnet> shallow = testing::leaving_out_branches(graph, full_subnet(graph));
  ASSERT_FALSE(shallow.empty());
  const Subnet both{shallow.back().widths, 16};
  EXPECT_TRUE(check_subnet(graph, both));
  EXPECT_LT(variant(graph, both).size(), graph.size());
  EXPECT_EQ(variant(graph, both).shape(0), (Shape{3, 16, 16}));
}

TEST(AtResolution, SaysWhyANetworkCannot) {
  EXPECT_THAT(why(testing::resnet8(), 40), HasSubstr("its image is 32 x 32; choose 1 to 32"));
  EXPECT_THAT(why(testing::two_images(), 2), HasSubstr("it has several inputs"));
  EXPECT_THAT(why(testing::unet(), 4), HasSubstr("the network cannot run at a resolution of 4"));
  const Graph vgg = *make_network({.name = "vgg11", .input = {3, 64, 64}, .classes = 10, .width = 0.1});
  EXPECT_THAT(why(vgg, 32), HasSubstr("cannot run at a resolution of 32"));
  Net net({3, 8, 8});
  net.conv("map", kImage, 4, kThree);
  EXPECT_THAT(why(net.build(), 4), HasSubstr("its output 'map' would be 4x4x4 instead of 4x8x8"));
  Net fixed({3, 8, 8});
  const NodeId map = fixed.conv("map", kImage, 4, kThree);
  fixed.resize("fixed", map, 4, 4, op::Resize::Mode::linear, op::Resize::Coordinates::half_pixel);
  EXPECT_THAT(why(fixed.build(), 4), HasSubstr("'fixed' (Resize) takes a map of one size only"));
  const Graph whole = testing::resnet8();
  EXPECT_THAT(check_subnet(whole, {full_subnet(whole).widths, 32}).error().message,
              HasSubstr("@32 has a resolution of 32, but the image is 32 x 32; leave it out"));
  const Status refused = check_subnet(vgg, {full_subnet(vgg).widths, 32});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("@32: the network cannot run"));
}

// A convolution and a pool leave 2 x 2 pixels of 4 x 4, but of 3 x 3 the pool leaves one.
TEST(AtResolution, RefusesSumsWhoseTermsWouldDiffer) {
  Net net({3, 4, 4});
  const NodeId left = net.conv("left", kImage, 4, Window::square(1, 2, 0)),
               right = net.conv("right", kImage, 4, kOne);
  const NodeId pooled = net.max_pool("pool", right, Window::square(2, 2, 0));
  net.global("mean", net.sum("sum", left, pooled));
  EXPECT_THAT(why(net.build(), 3), HasSubstr("the inputs of 'sum' would differ in size"));
}

TEST(Resolutions, AreMultiplesOfTheNetworksStride) {
  EXPECT_THAT(resolutions(testing::resnet8()), ElementsAre(28, 24, 20, 16, 12, 8));
  EXPECT_THAT(resolutions(resnet18_of(64)), ElementsAre(56, 48, 40, 32, 24, 16));
  EXPECT_TRUE(check_resolutions(testing::resnet8()));
  EXPECT_EQ(resolutions(resnet18_of(1024)).size(), 24u) << "steps of 32 pixels";
  EXPECT_THAT(resolutions(testing::unet()), IsEmpty());
  EXPECT_THAT(check_resolutions(testing::unet()).error().message, HasSubstr("cannot run at a resolution of"));
}

TEST(Resolutions, OfAShareIsTheNearest) {
  const Graph graph = testing::resnet8();
  const auto kept = [&](double share) {
    return keep_resolution(graph, full_subnet(graph), share).resolution;
  };
  EXPECT_EQ(kept(1), 0);
  EXPECT_EQ(kept(0.95), 0);
  EXPECT_EQ(kept(0.9), 28);
  EXPECT_EQ(kept(0.5), 16);
  EXPECT_EQ(kept(0.01), 8);
  const Graph fixed = testing::unet();
  EXPECT_EQ(keep_resolution(fixed, full_subnet(fixed), 0.5), full_subnet(fixed));
}

}  // namespace
}  // namespace concertina
