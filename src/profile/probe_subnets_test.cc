#include "profile/probe_subnets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "graph/networks/networks.h"
#include "testing/models.h"

namespace concertina::profile {
namespace {

using ::testing::ElementsAre;

TEST(ProbeWidths, AreSharesInWholeVectors) {
  EXPECT_THAT(probe_widths(64, 6, 16), ElementsAre(4, 8, 16, 32, 48, 64));
  EXPECT_THAT(probe_widths(64, 3, 16), ElementsAre(8, 32, 64));
  EXPECT_THAT(probe_widths(40, 6, 16), ElementsAre(3, 5, 10, 32, 40));
  EXPECT_THAT(probe_widths(1, 6, 16), ElementsAre(1));
}

/// Pairs of inputs and of vectors behind a layer among the sub-nets.
std::set<std::pair<int, int>> pairs_at(const Graph& graph, NodeId id, const std::vector<Subnet>& subnets) {
  std::set<std::pair<int, int>> pairs;
  for (const Subnet& subnet : subnets) {
    pairs.emplace(active_shape(graph, graph.node(id).inputs[0], subnet).channels,
                  (active_shape(graph, id, subnet).channels + 7) / 8);
  }
  return pairs;
}

TEST(CoveringSubnets, ShowEveryLayerEveryPair) {
  const Graph graph = *make_network({.name = "resnet20", .input = {3, 32, 32}});
  const std::vector<Subnet> subnets = covering_subnets(graph, 6, 8);
  EXPECT_EQ(subnets[0], full_subnet(graph));
  EXPECT_LT(subnets.size(), 80u);
  int layers = 0;
  for (NodeId id = 1; id < graph.size(); ++id) {
    if (!std::holds_alternative<op::Conv>(graph.node(id).op)) continue;
    ++layers;
    const NodeId input = graph.node(id).inputs[0];
    const auto widths = [&](NodeId node) {
      const int channels = graph.shape(node).channels;
      return channels == 3 ? std::vector{3} : probe_widths(channels, 6, 8);
    };
    std::set<int> vectors;
    for (const int width : widths(id)) vectors.insert((width + 7) / 8);
    EXPECT_EQ(pairs_at(graph, id, subnets).size(), widths(input).size() * vectors.size())
        << graph.node(id).name;
  }
  EXPECT_EQ(layers, 21);
}

TEST(CoveringSubnets, FitEveryNetwork) {
  for (const testing::NamedGraph& net : testing::test_graphs()) {
    const Graph graph = net.graph();
    std::vector<Subnet> subnets = covering_subnets(graph, 4, 16);
    for (Subnet& subnet : random_subnets(graph, 7, 1)) subnets.push_back(std::move(subnet));
    for (const Subnet& subnet : subnets) EXPECT_TRUE(check_subnet(graph, subnet)) << net.name;
  }
}

TEST(RandomSubnets, DifferAndCanBeRepeated) {
  const Graph graph = testing::resnet8();
  const std::vector<Subnet> subnets = random_subnets(graph, 20, 1);
  EXPECT_EQ(subnets.size(), 20u);
  std::set<std::vector<int>> widths;
  for (const Subnet& subnet : subnets) widths.insert(subnet.widths);
  EXPECT_GT(widths.size(), 15u);
  EXPECT_EQ(random_subnets(graph, 20, 1), subnets);
  EXPECT_NE(random_subnets(graph, 20, 2), subnets);
}

}  // namespace
}  // namespace concertina::profile
