#include "graph/edit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/random_weights.h"
#include "testing/net.h"

namespace concertina {
namespace {

using testing::kImage;
using testing::Net;

/// Two inputs; class scores from the first, a map from both.
Network two_heads() {
  Net net({3, 4, 4});
  const NodeId y = net.add_input("y", {2, 4, 4});
  const NodeId a = net.conv("a", kImage, 8);
  const NodeId sum = net.sum("sum", a, net.conv("b", y, 8));
  const NodeId map = net.conv("map", sum, 2);
  const NodeId softmax = net.softmax("softmax", net.linear("scores", net.global("pool", a), 5));
  const Graph graph = net.build({softmax, map});
  return {graph, random_weights(graph)};
}

std::vector<std::string> names(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes()) names.push_back(node.name);
  return names;
}

TEST(KeepOutputs, DropsWhatOnlyOtherOutputsNeed) {
  const Network network = two_heads();
  const Network one = keep_outputs(network, {7});
  EXPECT_THAT(names(one.graph), ::testing::ElementsAre("image", "a", "pool", "scores"));
  EXPECT_EQ(one.graph.inputs(), 1);
  EXPECT_EQ(one.graph.node(one.graph.output()).name, "scores");
  EXPECT_TRUE(check_weights(one.graph, one.weights));
  const Network same = keep_outputs(network, {8, 5});
  EXPECT_EQ(same.graph, network.graph);
  EXPECT_EQ(same.weights, network.weights);
  EXPECT_EQ(keep_outputs(network, {5}).graph.inputs(), 2);
}

/// Three convolutions of one array, each an output; the last classifies.
Network shared() {
  Net net({3, 4, 4});
  const NodeId a = net.conv("a", kImage, 3), b = net.conv("b", a, 3), c = net.conv("c", b, 3);
  net.tie(b, a);
  net.tie(c, a, "weight");
  const Graph graph = net.build({c, b, net.relu("r", a)});
  return {graph, random_weights(graph)};
}

TEST(KeepOutputs, AnArrayWhoseOwnerGoesBecomesItsFirstUsers) {
  Net net({3, 4, 4});
  const NodeId a = net.conv("a", kImage, 3), b = net.conv("b", kImage, 3), c = net.conv("c", b, 3);
  net.tie(b, a);
  net.tie(c, a, "weight");
  const Graph graph = net.build({a, c});
  const Network network = {graph, random_weights(graph)};
  const Network one = keep_outputs(network, {c});
  EXPECT_THAT(names(one.graph), ::testing::ElementsAre("image", "b", "c"));
  EXPECT_TRUE(one.graph.node(1).tied.empty());
  EXPECT_THAT(one.graph.node(2).tied, ::testing::ElementsAre(std::pair("weight", "b")));
  EXPECT_TRUE(check_weights(one.graph, one.weights));
  EXPECT_EQ(one.weights.at("b.weight"), network.weights.at("a.weight"));
  EXPECT_EQ(one.weights.at("b.bias"), network.weights.at("a.bias"));
  EXPECT_EQ(one.weights.at("c.bias"), network.weights.at("c.bias"));
}

TEST(Classifier, IsTheLayerThatMakesTheOutput) {
  const Network network = two_heads();
  EXPECT_EQ(find_classifier(network.graph), 7);
  EXPECT_EQ(find_classifier(keep_outputs(network, {6}).graph), 1);  // a convolution before the pooling
  Net net({3, 4, 4});
  net.softmax("softmax", kImage);
  EXPECT_EQ(find_classifier(net.build()), 2);
}

TEST(ResizeClassifier, LeavesAllButItsArrays) {
  const Network resized = *resize_classifier(two_heads(), 3);
  EXPECT_EQ(resized.graph.shape(resized.graph.output()).channels, 3);
  EXPECT_FALSE(resized.weights.contains("scores.weight"));
  EXPECT_FALSE(resized.weights.contains("scores.bias"));
  EXPECT_EQ(resized.weights.size(), two_heads().weights.size() - 2);
  Net scaled({3, 4, 4});
  scaled.scale("scale", scaled.conv("a", kImage, 8));
  EXPECT_THAT(resize_classifier({scaled.build(), {}}, 3).error().message, ::testing::HasSubstr("'scale'"));
}

TEST(ResizeClassifier, TheNewOneSharesNothing) {
  const Network before = shared();
  const Network resized = *resize_classifier(before, 5);
  EXPECT_TRUE(resized.graph.node(3).tied.empty());
  EXPECT_FALSE(resized.weights.contains("c.weight"));
  EXPECT_EQ(resized.weights.at("a.weight"), before.weights.at("a.weight"));
  const Network owner = *resize_classifier(keep_outputs(before, {4, 2}), 3);
  EXPECT_FALSE(owner.weights.contains("a.weight"));
  EXPECT_TRUE(owner.graph.node(2).tied.empty());
  EXPECT_EQ(owner.weights.at("b.weight"), before.weights.at("a.weight"));
}

/// A convolution with a bias, one without, one with its norm, a squeeze-and-excite branch, and an output.
Network folded() {
  Net net({3, 4, 4});
  const NodeId plain = net.conv("plain", net.conv("biased", kImage, 8), 8, {}, 1, false);
  const NodeId whole = net.norm("whole_bn", net.conv("whole", plain, 8));
  const NodeId gate = net.product("gate", whole, net.conv("squeeze", net.global("pool", whole), 8));
  net.conv("out", gate, 2);
  const Graph graph = net.build();
  return {graph, random_weights(graph)};
}

TEST(InsertNorms, WhatIsSharedStaysAndEachUseGetsItsOwnNorm) {
  Net net({3, 4, 4});
  const NodeId a = net.conv("a", kImage, 3), b = net.conv("b", a, 3);
  net.tie(b, a);
  net.relu("y", b);
  const Graph graph = net.build();
  const Network network = insert_norms({graph, random_weights(graph)});
  EXPECT_THAT(names(network.graph), ::testing::ElementsAre("image", "a", "a.norm", "b", "b.norm", "y"));
  EXPECT_EQ(network.graph.node(3).tied, graph.node(b).tied);
  EXPECT_TRUE(network.graph.node(4).tied.empty());
  EXPECT_TRUE(check_weights(network.graph, network.weights));
}

TEST(InsertNorms, ComesAfterConvolutionsThatHaveABiasAndNoNorm) {
  std::vector<InsertedNorm> inserted;
  const Network network = insert_norms(folded(), &inserted);
  ASSERT_EQ(inserted.size(), 1u);
  EXPECT_EQ(inserted[0].conv, "biased");
  EXPECT_EQ(inserted[0].norm, "biased.norm");
  ASSERT_TRUE(check_weights(network.graph, network.weights));
  ASSERT_EQ(network.graph.size(), folded().graph.size() + 1);
  EXPECT_EQ(network.graph.node(2).name, "biased.norm");
  EXPECT_EQ(network.graph.node(2).inputs, std::vector<NodeId>{1});
  EXPECT_EQ(network.graph.node(3).inputs, std::vector<NodeId>{2});
  EXPECT_EQ(network.graph.node(8).inputs, (std::vector<NodeId>{5, 7}));
  EXPECT_EQ(network.graph.node(network.graph.output()).name, "out");
  EXPECT_EQ(network.graph.layout().free_dimensions, folded().graph.layout().free_dimensions);
}

TEST(InsertNorms, AreTheIdentity) {
  const Weights weights = insert_norms(folded()).weights;
  const float mean = weights.at("biased.norm.running_mean").values[3];
  const float variance = weights.at("biased.norm.running_var").values[3];
  EXPECT_EQ(mean, 0);
  EXPECT_EQ(variance + op::BatchNorm{}.epsilon, 1);
  EXPECT_EQ(weights.at("biased.norm.weight").values[3], 1);
  EXPECT_EQ(weights.at("biased.norm.bias").values[3], 0);
}

TEST(InsertNorms, FindsNothingTheSecondTime) {
  const Network once = insert_norms(folded());
  EXPECT_EQ(insert_norms(once).graph, once.graph);
}

TEST(InsertNorms, GivesWayToANameThatIsTaken) {
  Net net({3, 4, 4});
  net.relu("a.norm", net.conv("a", kImage, 8));
  std::vector<InsertedNorm> inserted;
  insert_norms({net.build(), {}}, &inserted);
  ASSERT_EQ(inserted.size(), 1u);
  EXPECT_EQ(inserted[0].norm, "a.norm_");
}

}  // namespace
}  // namespace concertina
