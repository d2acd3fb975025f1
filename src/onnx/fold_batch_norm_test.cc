#include "onnx/fold_batch_norm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "graph/networks/networks.h"
#include "graph/random_weights.h"
#include "testing/graphs.h"
#include "testing/net.h"

namespace concertina::onnx {
namespace {

int norms(const Graph& graph) {
  return static_cast<int>(std::count_if(graph.nodes().begin(), graph.nodes().end(), [](const Node& node) {
    return std::holds_alternative<op::BatchNorm>(node.op);
  }));
}

TEST(FoldBatchNorm, LeavesNoneInAResNet) {
  const Graph graph = *make_network({.name = "resnet8", .input = {3, 8, 8}, .width = 0.25});
  const Network folded = fold_batch_norm({graph, random_weights(graph)});
  EXPECT_EQ(norms(graph), 9);
  EXPECT_EQ(norms(folded.graph), 0);
  EXPECT_TRUE(check_weights(folded.graph, folded.weights));
  EXPECT_EQ(folded.graph.node(folded.graph.output()).name, "fc");
}

TEST(FoldBatchNorm, KeepsThoseThatFollowSomethingElse) {
  const Graph graph = testing::every_op();
  const Network folded = fold_batch_norm({graph, random_weights(graph)});
  EXPECT_EQ(norms(graph), 2);
  EXPECT_EQ(norms(folded.graph), 1);  // 'join.norm'
  EXPECT_TRUE(check_weights(folded.graph, folded.weights));
}

TEST(FoldBatchNorm, KeepsThoseOfSharedArrays) {
  const Graph graph = testing::shared_head();
  const Network folded = fold_batch_norm({graph, random_weights(graph)});
  EXPECT_EQ(norms(graph), 6);
  EXPECT_EQ(norms(folded.graph), 4);  // of the head
  EXPECT_TRUE(check_weights(folded.graph, folded.weights));
}

TEST(FoldBatchNorm, KeepsThoseWhoseConvolutionHasOtherReaders) {
  testing::Net net({1, 2, 2});
  const NodeId conv = net.conv("c", testing::kImage, 1);
  net.sum("s", conv, net.norm("n", conv));
  const Graph graph = net.build();
  EXPECT_EQ(norms(fold_batch_norm({graph, random_weights(graph)}).graph), 1);
}

TEST(FoldBatchNorm, ComputesTheSameFunction) {
  testing::Net net({1, 1, 1});
  net.norm("n", net.conv("c", testing::kImage, 1), 0.25F);
  const Weights weights = {{"c.weight", {{1, 1, 1, 1}, {3}}}, {"c.bias", {{1}, {5}}},
                           {"n.weight", {{1}, {4}}},          {"n.bias", {{1}, {-1}}},
                           {"n.running_mean", {{1}, {2}}},    {"n.running_var", {{1}, {3.75F}}}};
  // ((3x + 5) - 2) / sqrt(3.75 + 0.25) * 4 - 1 = 6x + 5
  const Weights expected = {{"n.weight", {{1, 1, 1, 1}, {6}}},
                            {"n.bias", {{1}, {5}}}};  // an output keeps its name
  EXPECT_EQ(fold_batch_norm({net.build(), weights}).weights, expected);
}

}  // namespace
}  // namespace concertina::onnx
