#include "graph/branches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/cost.h"
#include "graph/network.h"
#include "graph/networks/networks.h"
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

std::vector<std::string> names_of(const Graph& graph, const std::vector<NodeId>& nodes) {
  std::vector<std::string> list;
  for (const NodeId id : nodes) list.push_back(graph.node(id).name);
  return list;
}

std::vector<std::string> names_of(const Graph& graph) {
  std::vector<std::string> list;
  for (const Node& node : graph.nodes()) list.push_back(node.name);
  return list;
}

int dimension(const Graph& graph, const std::string& name) {
  for (int d = 0; d < graph.layout().free_dimensions; ++d) {
    if (graph.layout().dimensions[d].name == name) return d;
  }
  ADD_FAILURE() << "no free dimension " << name;
  return -1;
}

/// Why the dimension cannot be left out.
std::string why(const Graph& graph, const std::string& name) {
  const std::vector<int> one = {dimension(graph, name)};
  const Result<Branch> branch = absent_without(graph, one);
  return branch ? "" : branch.error().message;
}

Subnet without(const Graph& graph, const std::vector<std::string>& dimensions) {
  Subnet subnet = full_subnet(graph);
  for (const std::string& name : dimensions) subnet.widths[dimension(graph, name)] = 0;
  return subnet;
}

/// x + f(x) with a ReLU behind it, of three channels.
NodeId basic_block(Net& net, const std::string& name, NodeId x) {
  const NodeId inner = net.conv_bn_relu(name + ".a", x, 4, kThree);
  return net.relu(name + ".out", net.sum(name + ".sum", net.conv_bn(name + ".b", inner, 3, kThree), x));
}

Graph two_blocks() {
  Net net({2, 6, 6});
  const NodeId stem = net.conv_bn_relu("stem", kImage, 3, kThree);
  net.classify(basic_block(net, "second", basic_block(net, "first", stem)), 5);
  return net.build();
}

TEST(Branches, OfAResidualNetworkAreItsInnerLayers) {
  const Graph graph = two_blocks();
  const std::vector<Branch> branches = find_branches(graph);
  ASSERT_EQ(branches.size(), 2U);
  EXPECT_THAT(names_of(graph, branches[0].nodes),
              ElementsAre("first.a", "first.a_bn", "first.a_relu", "first.b", "first.b_bn"));
  EXPECT_THAT(branches[0].dimensions, ElementsAre(dimension(graph, "first.a")));
  EXPECT_TRUE(branches[0].skipped && branches[1].skipped);
  EXPECT_THAT(why(graph, "stem"), HasSubstr("the output 'fc' needs it"));
}

TEST(Branches, AVariantHasNeitherBranchNorSumNorASecondRelu) {
  const Graph graph = two_blocks();
  const Subnet subnet = without(graph, {"first.a"});
  ASSERT_TRUE(check_subnet(graph, subnet));
  const Graph part = variant(graph, subnet);
  EXPECT_THAT(names_of(part),
              ElementsAre("image", "stem", "stem_bn", "stem_relu", "second.a", "second.a_bn", "second.a_relu",
                          "second.b", "second.b_bn", "second.sum", "second.out", "pool", "flatten", "fc"));
  EXPECT_EQ(names_of(part, part.node(9).inputs), (std::vector<std::string>{"second.b_bn", "stem_relu"}));
  EXPECT_EQ(part.layout().dimensions.size(), graph.layout().dimensions.size());
  EXPECT_EQ(variant(part, subnet), part);
  EXPECT_EQ(variant(graph, full_subnet(graph)), graph);
}

TEST(Branches, CostsCountOnlyWhatRuns) {
  const Graph graph = two_blocks();
  const Cost whole = cost(graph, full_subnet(graph));
  const Cost part = cost(graph, without(graph, {"second.a"}));
  EXPECT_EQ(whole.macs - part.macs, 2 * 6 * 6 * 3 * 4 * 9);
  EXPECT_EQ(whole.parameters - part.parameters, 2 * 3 * 4 * 9 + 2 * 4 + 2 * 3);
  const Network extracted = extract({graph, {}}, without(graph, {"second.a"}), {});
  EXPECT_EQ(cost(extracted.graph, full_subnet(extracted.graph)).parameters, part.parameters);
}

TEST(Branches, AllInnerDimensionsOfABottleneckGoTogether) {
  Net net({2, 6, 6});
  const NodeId stem = net.conv_bn_relu("stem", kImage, 6, kThree);
  const NodeId a = net.conv_bn_relu("a", stem, 3, kOne), b = net.conv_bn_relu("b", a, 4, kThree);
  net.classify(net.sum("sum", net.conv_bn("c", b, 6, kOne), stem), 5);
  const Graph graph = net.build();
  ASSERT_EQ(find_branches(graph).size(), 1U);
  EXPECT_TRUE(check_subnet(graph, without(graph, {"a", "b"})));
  EXPECT_THAT(check_subnet(graph, without(graph, {"b"})).error().message,
              HasSubstr("keeps 3 channels of 'a', which is absent without 'b'; write 0 for both"));
  EXPECT_EQ(leave_out(graph, full_subnet(graph), find_branches(graph)[0]), without(graph, {"a", "b"}));
  EXPECT_EQ(leave_out(graph, without(graph, {"a", "b"}), find_branches(graph)[0]), std::nullopt);
}

TEST(Branches, AnInvertedResidualWithSqueezeAndExcitationGoesAsOne) {
  Net net({2, 6, 6});
  const NodeId stem = net.conv_bn("stem", kImage, 4, kThree);
  const NodeId wide = net.conv_bn_relu("expand", stem, 8, kOne);
  const NodeId deep = net.conv_bn_relu("depthwise", wide, 8, kThree, 8);
  const NodeId gate = net.conv("excite", net.conv("squeeze", net.global("mean", deep), 2), 8);
  const NodeId out = net.conv_bn("project", net.product("gated", deep, gate), 4, kOne);
  net.classify(net.sum("sum", stem, out), 5);
  const Graph graph = net.build();
  const std::vector<Branch> branches = find_branches(graph);
  ASSERT_EQ(branches.size(), 1U);
  EXPECT_EQ(branches[0].dimensions.size(), 2U);
  EXPECT_THAT(why(graph, "squeeze"), HasSubstr("'gated' needs it"));
}

TEST(Branches, ABlockThatIsAllOfItsSumStays) {
  Net net({2, 6, 6});
  const NodeId stem = net.conv_bn_relu("stem", kImage, 3, kThree);
  const NodeId a = net.conv("a2", net.conv("a1", stem, 4, kThree), 3, kThree);
  const NodeId b = net.conv("b2", net.conv("b1", stem, 5, kThree), 3, kThree);
  net.classify(net.sum("sum", a, b), 5);
  const Graph graph = net.build();
  ASSERT_EQ(find_branches(graph).size(), 2U);
  EXPECT_FALSE(find_branches(graph)[0].skipped);
  EXPECT_TRUE(check_subnet(graph, without(graph, {"a1"})));
  EXPECT_TRUE(check_subnet(graph, without(graph, {"b1"})));
  EXPECT_THAT(check_subnet(graph, without(graph, {"a1", "b1"})).error().message,
              HasSubstr("cannot do without all channels of 'a1': the output 'fc' needs it"));
  EXPECT_EQ(leave_out(graph, without(graph, {"a1"}), find_branches(graph)[1]), std::nullopt);
}

TEST(Branches, WhatOnlyTheyReadGoesWithThem) {
  Net net({2, 6, 6});
  const NodeId stem = net.conv_bn_relu("stem", kImage, 3, kThree), shared = net.conv("shared", stem, 5, kOne);
  const NodeId first = net.sum("s1", stem, net.conv("a2", net.conv("a1", shared, 4, kOne), 3, kOne));
  net.classify(net.sum("s2", first, net.conv("b2", net.conv("b1", shared, 4, kOne), 3, kOne)), 5);
  const Graph graph = net.build();
  EXPECT_EQ(find_branches(graph).size(), 3U);
  const Subnet one = *leave_out(graph, full_subnet(graph), find_branches(graph)[1]);
  EXPECT_EQ(leave_out(graph, one, find_branches(graph)[2]), without(graph, {"a1", "b1", "shared"}));
}

TEST(Branches, StayWhereTheRestNeedsThem) {
  Net net({2, 6, 6});
  const NodeId stem = net.conv_bn_relu("stem", kImage, 3, kThree);
  const NodeId joined = net.concat("joined", {stem, net.conv("dense", stem, 4, kOne)});
  const NodeId small = net.conv("small", net.global("mean", joined), 3, kOne);
  const NodeId wide = net.sum("wide", net.conv("back", net.conv("map", joined, 5, kOne), 3, kOne), small);
  net.classify(wide, 5);
  const Graph graph = net.build();
  EXPECT_THAT(why(graph, "dense"), HasSubstr("'joined' needs it"));
  EXPECT_THAT(why(graph, "map"), HasSubstr("the sum 'wide' gets its size from it"));
  EXPECT_THAT(find_branches(graph), IsEmpty());
}

TEST(Branches, StayWhereOthersUseTheirWeights) {
  Net net({2, 6, 6});
  const NodeId stem = net.conv_bn_relu("stem", kImage, 3, kThree);
  const NodeId owner = net.conv("owner", stem, 4, kOne);
  const NodeId first = net.sum("s1", stem, net.conv("back", owner, 3, kOne));
  const NodeId user = net.conv("user", first, 4, kOne);
  net.tie(user, owner);
  net.classify(user, 5);
  const Graph graph = net.build();
  EXPECT_THAT(find_branches(graph), IsEmpty());
}

TEST(Branches, StayWhereTheirSumIsAnOutput) {
  Net net({2, 6, 6});
  const NodeId stem = net.conv_bn_relu("stem", kImage, 3, kThree);
  const NodeId sum = net.sum("sum", stem, net.conv("b", net.conv("a", stem, 4, kOne), 3, kOne));
  const Graph graph = net.build({sum});
  EXPECT_THAT(why(graph, "a"), HasSubstr("the sum 'sum' is an output"));
}

TEST(Branches, AShareOfTheDepthIsTheFirstBranchesOfEachSize) {
  const Graph graph = *make_network({.name = "resnet20", .input = {3, 32, 32}});
  const auto kept = [&](double share) {
    std::vector<int> counts(3);
    const Graph part = variant(graph, keep_depth(graph, full_subnet(graph), share));
    for (const Node& node : part.nodes()) {
      if (std::holds_alternative<op::Add>(node.op)) ++counts[32 / part.shape(node.inputs[0]).height / 2];
    }
    return counts;
  };
  EXPECT_THAT(kept(1), ElementsAre(3, 3, 3));
  EXPECT_THAT(kept(0.6), ElementsAre(2, 2, 2));
  EXPECT_THAT(kept(0.01), ElementsAre(1, 1, 1));
}

TEST(Branches, NoChannelsAreNoWidthElsewhere) {
  const Graph graph = two_blocks();
  EXPECT_THAT(check_subnet(graph, without(graph, {"stem"})).error().message,
              HasSubstr("cannot do without all channels of 'stem'"));
  Subnet negative = full_subnet(graph);
  negative.widths[0] = -1;
  EXPECT_FALSE(check_subnet(graph, negative));
}

}  // namespace
}  // namespace concertina
