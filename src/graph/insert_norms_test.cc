#include "graph/insert_norms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concertina {
namespace {

op::Conv conv(int in, int out, bool bias) {
  op::Conv conv;
  conv.in_channels = in;
  conv.out_channels = out;
  conv.bias = bias;
  return conv;
}

/// A convolution with a bias, one without, one with its norm, a squeeze-and-excite branch, and an output.
Network folded() {
  op::Input input;
  input.shape = {3, 4, 4};
  op::BatchNorm norm;
  norm.channels = 8;
  const Graph graph = *Graph::make({{"x", input, {}},
                                    {"biased", conv(3, 8, true), {0}},
                                    {"plain", conv(8, 8, false), {1}},
                                    {"whole", conv(8, 8, true), {2}},
                                    {"whole_bn", norm, {3}},
                                    {"pool", op::GlobalAveragePool{}, {4}},
                                    {"squeeze", conv(8, 8, true), {5}},
                                    {"gate", op::Mul{}, {4, 6}},
                                    {"out", conv(8, 2, true), {7}}});
  Weights weights;
  for (NodeId id = 0; id < graph.size(); ++id) {
    for (const Parameter& parameter : parameters(graph, id)) {
      std::size_t count = 1;
      for (const int size : parameter.shape) count *= static_cast<std::size_t>(size);
      weights[parameter_name(graph.node(id), parameter)] = {parameter.shape, std::vector<float>(count, 0.5F)};
    }
  }
  return {graph, weights};
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
  op::Input input;
  input.shape = {3, 4, 4};
  const Graph graph =
      *Graph::make({{"x", input, {}}, {"a", conv(3, 8, true), {0}}, {"a.norm", op::relu(), {1}}});
  std::vector<InsertedNorm> inserted;
  insert_norms({graph, {}}, &inserted);
  ASSERT_EQ(inserted.size(), 1u);
  EXPECT_EQ(inserted[0].norm, "a.norm_");
}

}  // namespace
}  // namespace concertina
