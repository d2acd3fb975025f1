#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnx/testing.h"
#include "testing/exporter_files.h"
#include "testing/onnx_builder.h"

namespace concertina::onnx {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::OnnxBuilder;

TEST_F(Import, SharesAnArrayThatSeveralNodesRead) {
  const auto imported = import(testing::test_network("siamese"));
  ASSERT_TRUE(imported);
  EXPECT_TRUE(imported->untied.empty());
  int owned = 0, shared = 0;
  for (NodeId id = 0; id < imported->network.graph.size(); ++id) {
    owned += static_cast<int>(parameters(imported->network.graph, id).size());
    shared += static_cast<int>(imported->network.graph.node(id).tied.size());
  }
  EXPECT_EQ(shared, 8);  // the statistics of the second norm are its own
  EXPECT_EQ(owned, 8 + 2 + 2 + 1 + 2);
  const auto again = parse_network(*serialize_network(imported->network));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->graph, imported->network.graph);
  EXPECT_EQ(again->weights, imported->network.weights);
}

TEST_F(Import, SharesWhateverTheOwnerIsCalled) {
  OnnxBuilder net;
  const std::string image = net.input("image", {3, 4, 4}), weight = net.random({4, 3, 1, 1}, 3);
  net.node("Conv", {image, weight});  // nobody reads it
  const std::string first = net.node("Conv", {image, weight});
  const std::string second = net.node("Conv", {net.relu(image), weight});
  net.output(net.node("Identity", {first}), "y", {4, 4, 4});
  net.output(second, "z", {4, 4, 4});
  const Graph network = graph(net.finish());
  ASSERT_EQ(network.outputs().size(), 2u);
  EXPECT_EQ(network.node(network.outputs()[0]).name, "y");
  EXPECT_TRUE(network.node(network.outputs()[0]).tied.empty());
  EXPECT_THAT(network.node(network.outputs()[1]).tied, ElementsAre(std::pair("weight", "y")));
}

TEST_F(Import, SaysWhereAnArrayCannotBeShared) {
  OnnxBuilder net;
  const std::string vector = net.pooled(net.conv(net.input("image", {3, 4, 4}), {.in = 3, .out = 5}));
  const std::string weight = net.random({5, 5}, 5);
  const std::string there = net.node("MatMul", {vector, weight});
  const std::string back = net.node("Gemm", {net.relu(there), weight});
  net.with("transB", std::int64_t{1});
  net.output(back, "y", {5});
  const auto imported = import(net.finish());
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_THAT(imported->untied, ElementsAre(HasSubstr("uses an array of '/MatMul_")));
  for (const Node& node : imported->network.graph.nodes()) EXPECT_TRUE(node.tied.empty());
}

// PyTorch's exporter keeps one of all arrays that are equal, such as the scales of norms before training and
// filters that blur.
TEST_F(Import, WhatAnExporterMergedIsNotShared) {
  OnnxBuilder net;
  const std::string ones = net.floats({4}, {1, 1, 1, 1}), zeros = net.floats({4}, {0, 0, 0, 0});
  const std::string blur = net.floats({4, 1, 1, 2}, {0.4F, 0.6F, 0.4F, 0.6F, 0.4F, 0.6F, 0.4F, 0.6F});
  const auto norm = [&](const std::string& x) {
    const std::string blurred = net.node("Conv", {x, blur});
    net.with("group", std::int64_t{4});
    return net.node("BatchNormalization", {blurred, ones, zeros, zeros, ones});
  };
  const std::string image = net.input("image", {3, 4, 4});
  const std::string first = norm(net.conv(image, {.in = 3, .out = 4}));
  const std::string second = norm(net.conv(image, {.in = 3, .out = 4}));
  net.output(first, "first", {4, 4, 3});
  net.output(second, "second", {4, 4, 3});
  const Graph merged = graph(net.finish());
  for (const Node& node : merged.nodes()) EXPECT_TRUE(node.tied.empty());

  OnnxBuilder tied;
  const std::string x = tied.input("image", {3, 4, 4}), w = tied.random({4, 3, 1, 1}, 3);
  const std::string slopes = tied.floats({4, 1, 1}, {0.25F, 0.25F, 0.25F, 0.25F});
  tied.output(tied.node("PRelu", {tied.node("Conv", {x, w}), slopes}), "first", {4, 4, 4});
  tied.output(tied.node("PRelu", {tied.node("Conv", {tied.relu(x), w}), slopes}), "second", {4, 4, 4});
  const Graph follows = graph(tied.finish());
  EXPECT_THAT(follows.node(follows.outputs()[1]).tied, ElementsAre(std::pair("weight", "first")));
}

}  // namespace
}  // namespace concertina::onnx
