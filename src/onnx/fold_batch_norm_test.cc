#include "onnx/fold_batch_norm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "testing/onnx_models.h"

namespace concertina::onnx {
namespace {

int norms(const Graph& graph) {
  return static_cast<int>(std::count_if(graph.nodes().begin(), graph.nodes().end(), [](const Node& node) {
    return std::holds_alternative<op::BatchNorm>(node.op);
  }));
}

TEST(FoldBatchNorm, LeavesNoneInAResNet) {
  const Graph graph = *make_network({.name = "resnet8", .input = {3, 8, 8}, .width = 0.25});
  const Network folded = fold_batch_norm({graph, testing::random_weights(graph)});
  EXPECT_EQ(norms(graph), 9);
  EXPECT_EQ(norms(folded.graph), 0);
  EXPECT_TRUE(check_weights(folded.graph, folded.weights));
  EXPECT_EQ(folded.graph.node(folded.graph.output()).name, "fc");
}

TEST(FoldBatchNorm, KeepsThoseThatFollowSomethingElse) {
  const Graph graph = testing::every_op();
  const Network folded = fold_batch_norm({graph, testing::random_weights(graph)});
  EXPECT_EQ(norms(graph), 2);
  EXPECT_EQ(norms(folded.graph), 1);  // 'join.norm'
  EXPECT_TRUE(check_weights(folded.graph, folded.weights));
}

TEST(FoldBatchNorm, KeepsThoseWhoseConvolutionHasOtherReaders) {
  op::Input input;
  input.shape = {1, 2, 2};
  op::Conv conv;
  conv.in_channels = conv.out_channels = 1;
  op::BatchNorm norm;
  norm.channels = 1;
  const Graph graph =
      *Graph::make({{"x", input, {}}, {"c", conv, {0}}, {"n", norm, {1}}, {"s", op::Add{}, {1, 2}}});
  EXPECT_EQ(norms(fold_batch_norm({graph, testing::random_weights(graph)}).graph), 1);
}

TEST(FoldBatchNorm, ComputesTheSameFunction) {
  op::Input input;
  input.shape = {1, 1, 1};
  op::Conv conv;
  conv.in_channels = conv.out_channels = 1;
  conv.bias = true;
  op::BatchNorm norm;
  norm.channels = 1;
  norm.epsilon = 0.25F;
  const Graph graph = *Graph::make({{"x", input, {}}, {"c", conv, {0}}, {"n", norm, {1}}});
  const Weights weights = {{"c.weight", {{1, 1, 1, 1}, {3}}}, {"c.bias", {{1}, {5}}},
                           {"n.weight", {{1}, {4}}},          {"n.bias", {{1}, {-1}}},
                           {"n.running_mean", {{1}, {2}}},    {"n.running_var", {{1}, {3.75F}}}};
  // ((3x + 5) - 2) / sqrt(3.75 + 0.25) * 4 - 1 = 6x + 5
  const Weights expected = {{"n.weight", {{1, 1, 1, 1}, {6}}},
                            {"n.bias", {{1}, {5}}}};  // an output keeps its name
  EXPECT_EQ(fold_batch_norm({graph, weights}).weights, expected);
}

}  // namespace
}  // namespace concertina::onnx
