#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include "base/file.h"
#include "graph/cost.h"
#include "onnx/network_file.h"
#include "onnx/onnx_builder.h"
#include "onnx/test_networks.h"

namespace concertina {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::OnnxBuilder;
using Integers = OnnxBuilder::Integers;

class Import : public ::testing::Test {
 protected:
  Result<ImportedNetwork> import(const std::string& bytes, const ImportOptions& options = {}) {
    const auto path =
        std::filesystem::path(::testing::TempDir()) / ("import-" + std::to_string(::getpid()) + ".onnx");
    EXPECT_TRUE(write_file(path, bytes));
    auto imported = import_network(path, options);
    std::filesystem::remove(path);
    return imported;
  }

  Graph graph(const std::string& bytes) {
    auto imported = import(bytes);
    EXPECT_TRUE(imported) << imported.error().message;
    return imported ? imported->network.graph : *Graph::make({{"x", input_, {}}, {"y", op::relu(), {0}}});
  }

  template <typename T>
  static int count(const Graph& graph) {
    int count = 0;
    for (const Node& node : graph.nodes()) count += std::holds_alternative<T>(node.op) ? 1 : 0;
    return count;
  }

  op::Input input_ = [] {
    op::Input input;
    input.shape = {1, 1, 1};
    return input;
  }();
};

// Free dimensions by what the papers' structures allow: those that residual connections join count once.
TEST_F(Import, EveryStructureShrinksWhereItCan) {
  const std::map<std::string, int> free_dimensions = {{"resnet", 4},       {"resnet_bottleneck", 5},
                                                      {"resnext", 3},      {"densenet", 10},
                                                      {"googlenet", 14},   {"squeezenet", 7},
                                                      {"mobilenet_v1", 3}, {"mobilenet_v2", 3},
                                                      {"mobilenet_v3", 6}, {"shufflenet_v2", 5},
                                                      {"efficientnet", 5}, {"vgg", 3},
                                                      {"alexnet", 3},      {"unet", 5},
                                                      {"two_inputs", 3},   {"odd", 2}};
  for (const std::string& name : testing::test_networks()) {
    const Graph network = graph(testing::test_network(name));
    EXPECT_EQ(network.layout().free_dimensions, free_dimensions.at(name)) << name;
    Subnet smallest = full_subnet(network);
    for (int& width : smallest.widths) width = 1;
    EXPECT_LT(cost(network, smallest).macs, cost(network, full_subnet(network)).macs) << name;
    EXPECT_EQ(count<op::Opaque>(network), 0) << name;
  }
}

TEST_F(Import, WritesAndReadsEveryStructureUnchanged) {
  for (const std::string& name : testing::test_networks()) {
    const auto imported = import(testing::test_network(name));
    ASSERT_TRUE(imported) << name << imported.error().message;
    const auto bytes = serialize_static(imported->network);
    ASSERT_TRUE(bytes) << name << bytes.error().message;
    const auto again = parse_network(*bytes);
    ASSERT_TRUE(again) << name << again.error().message;
    EXPECT_EQ(*serialize_static(*again), *bytes) << name;
  }
}

TEST_F(Import, OutputsKeepTheirNamesAndOrder) {
  const Graph network = graph(testing::test_network("googlenet"));
  ASSERT_EQ(network.outputs().size(), 2u);
  EXPECT_EQ(network.node(network.outputs()[0]).name, "logits");
  EXPECT_EQ(network.node(network.outputs()[1]).name, "auxiliary");
}

TEST_F(Import, SeveralInputsComeFirst) {
  const Graph network = graph(testing::test_network("two_inputs"));
  ASSERT_EQ(network.inputs(), 2);
  EXPECT_EQ(network.node(0).name, "image");
  EXPECT_EQ(network.shape(1), (Shape{7, 1, 1}));
}

TEST_F(Import, KnowsFunctionsThatAreWrittenInParts) {
  const Graph network = graph(testing::test_network("mobilenet_v3"));
  int swish = 0;
  for (const Node& node : network.nodes()) {
    const auto* activation = std::get_if<op::Activation>(&node.op);
    swish += activation && activation->function == op::Function::hard_swish ? 1 : 0;
  }
  EXPECT_EQ(swish, 6);

  OnnxBuilder net;  // x * clip(x + 3, 0, 6) / 6
  const std::string x = net.conv(net.input("image", {3, 4, 4}), {.in = 3, .out = 4});
  const std::string three_more = net.node("Add", {x, net.floats({}, {3})});
  const std::string clip = net.node("Clip", {three_more, net.floats({}, {0}), net.floats({}, {6})});
  net.output(net.node("Div", {net.node("Mul", {x, clip}), net.floats({}, {6})}), "y", {4, 4, 4});
  const Graph parts = graph(net.finish());
  ASSERT_EQ(parts.size(), 3);
  EXPECT_EQ(std::get<op::Activation>(parts.node(2).op).function, op::Function::hard_swish);
}

TEST_F(Import, PixelsFirstBecomesChannelsFirst) {
  const Graph network = graph(testing::test_network("alexnet"));
  EXPECT_EQ(network.shape(0), (Shape{3, 16, 16}));
  EXPECT_EQ(count<op::Shift>(network), 0);  // all became biases
  EXPECT_EQ(network.node(network.output()).name, "logits");
}

TEST_F(Import, ShufflesAreOneNode) {
  const Graph network = graph(testing::test_network("shufflenet_v2"));
  EXPECT_EQ(count<op::ChannelShuffle>(network), 3);
  EXPECT_EQ(count<op::Slice>(network), 4);
}

TEST_F(Import, AnOpenSizeHasToBeGiven) {
  OnnxBuilder net;
  net.output(net.conv(net.input("image", {3, -1, -1}), {.in = 3, .out = 4}), "y", {4, -1, -1});
  EXPECT_THAT(import(net.finish()).error().message, HasSubstr("say what they shall be with --input CxHxW"));
  const auto imported = import(net.finish(), {.input = Shape{3, 8, 6}});
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(imported->network.graph.shape(1), (Shape{4, 8, 6}));
}

TEST_F(Import, WhatIsNotUnderstoodIsNamedAndTheRestShrinks) {
  OnnxBuilder net;
  const std::string a = net.conv(net.input("image", {3, 4, 4}), {.in = 3, .out = 4});
  const std::string odd = net.node("Mish", {a});
  const std::string b = net.conv(net.conv(odd, {.in = 4, .out = 8}), {.in = 8, .out = 2});
  net.output(b, "y", {2, 4, 4});
  EXPECT_THAT(import(net.finish()).error().message, HasSubstr("node '/Mish_2' (Mish): there is no rule"));
  EXPECT_THAT(import(net.finish(), {.opaque = true}).error().message, HasSubstr("there is no rule"));

  OnnxBuilder told;  // the file tells the shape of what the op makes
  const std::string c = told.conv(told.input("image", {3, 4, 4}), {.in = 3, .out = 4});
  const std::string strange = told.node("Mish", {c});
  const std::string d = told.conv(told.conv(strange, {.in = 4, .out = 8}), {.in = 8, .out = 2});
  told.output(d, "y", {2, 4, 4});
  told.output(strange, "strange", {4, 4, 4});
  const auto imported = import(told.finish(), {.opaque = true});
  ASSERT_TRUE(imported) << imported.error().message;
  ASSERT_EQ(imported->opaque.size(), 1u);
  EXPECT_EQ(imported->opaque[0].op, "Mish");
  EXPECT_THAT(imported->opaque[0].reason, HasSubstr("no rule"));
  EXPECT_EQ(imported->network.graph.layout().free_dimensions, 1);
}

TEST_F(Import, LayoutsThatMakeNoSenseAreRefused) {
  OnnxBuilder net;
  const std::string a = net.conv(net.input("image", {3, 4, 4}), {.in = 3, .out = 6});
  const std::string cut = net.node("Reshape", {a, net.integers({-1, 4, 24})});
  net.output(net.node("Relu", {cut}), "y", {4, 24});
  EXPECT_THAT(import(net.finish()).error().message, HasSubstr("cuts across channels, rows or columns"));

  OnnxBuilder turned;
  const std::string b = turned.conv(turned.input("image", {3, 4, 4}), {.in = 3, .out = 6});
  const std::string rows = turned.node("Transpose", {b});
  turned.with("perm", Integers{0, 2, 3, 1});
  turned.output(turned.node("Relu", {rows}), "y", {4, 4, 6});
  EXPECT_THAT(import(turned.finish()).error().message, HasSubstr("neither a map's nor a vector's"));
}

}  // namespace
}  // namespace concertina
