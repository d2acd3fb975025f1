#include "graph/edit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concertina {
namespace {

op::Input image(int channels) {
  op::Input input;
  input.shape = {channels, 4, 4};
  return input;
}
op::Conv conv(int in, int out) {
  op::Conv conv;
  conv.in_channels = in;
  conv.out_channels = out;
  return conv;
}
op::Linear linear(int in, int out) {
  op::Linear linear;
  linear.in_features = in;
  linear.out_features = out;
  return linear;
}

/// Two inputs; class scores from the first, a map from both.
Network two_heads() {
  const Graph graph = *Graph::make({{"x", image(3), {}},
                                    {"y", image(2), {}},
                                    {"a", conv(3, 8), {0}},
                                    {"b", conv(2, 8), {1}},
                                    {"sum", op::Add{}, {2, 3}},
                                    {"map", conv(8, 2), {4}},
                                    {"pool", op::GlobalAveragePool{}, {2}},
                                    {"scores", linear(8, 5), {6}},
                                    {"softmax", op::Softmax{}, {7}}},
                                   {8, 5});
  Weights weights;
  for (NodeId id = 0; id < graph.size(); ++id) {
    for (const Parameter& parameter : parameters(graph, id)) {
      std::size_t count = 1;
      for (const int size : parameter.shape) count *= static_cast<std::size_t>(size);
      weights[parameter_name(graph.node(id), parameter)] = {
          parameter.shape, std::vector<float>(count, static_cast<float>(id))};
    }
  }
  return {graph, weights};
}

std::vector<std::string> names(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes()) names.push_back(node.name);
  return names;
}

TEST(KeepOutputs, DropsWhatOnlyOtherOutputsNeed) {
  const Network network = two_heads();
  const Network one = keep_outputs(network, {7});
  EXPECT_THAT(names(one.graph), ::testing::ElementsAre("x", "a", "pool", "scores"));
  EXPECT_EQ(one.graph.inputs(), 1);
  EXPECT_EQ(one.graph.node(one.graph.output()).name, "scores");
  EXPECT_TRUE(check_weights(one.graph, one.weights));
  const Network same = keep_outputs(network, {8, 5});
  EXPECT_EQ(same.graph, network.graph);
  EXPECT_EQ(same.weights, network.weights);
  EXPECT_EQ(keep_outputs(network, {5}).graph.inputs(), 2);
}

TEST(Classifier, IsTheLayerThatMakesTheOutput) {
  const Network network = two_heads();
  EXPECT_EQ(find_classifier(network.graph), 7);
  EXPECT_EQ(find_classifier(keep_outputs(network, {6}).graph), 1);  // a convolution before the pooling
  EXPECT_EQ(find_classifier(*Graph::make({{"x", image(3), {}}, {"softmax", op::Softmax{}, {0}}})), 2);
}

TEST(ResizeClassifier, LeavesAllButItsArrays) {
  const Network resized = *resize_classifier(two_heads(), 3);
  EXPECT_EQ(resized.graph.shape(resized.graph.output()).channels, 3);
  EXPECT_FALSE(resized.weights.contains("scores.weight"));
  EXPECT_FALSE(resized.weights.contains("scores.bias"));
  EXPECT_EQ(resized.weights.size(), two_heads().weights.size() - 2);
  op::Scale scale;
  scale.channels = 8;
  const Graph scaled = *Graph::make({{"x", image(3), {}}, {"a", conv(3, 8), {0}}, {"scale", scale, {1}}});
  EXPECT_THAT(resize_classifier({scaled, {}}, 3).error().message, ::testing::HasSubstr("'scale'"));
}

}  // namespace
}  // namespace concertina
