#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <map>

#include "graph/cost.h"
#include "onnx/folding.h"
#include "onnx/network_file.h"
#include "testing/exporter_files.h"
#include "testing/onnx_builder.h"
#include "testing/temporary_folder.h"

namespace concertina::onnx {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::OnnxBuilder;
using Integers = OnnxBuilder::Integers;

class Import : public ::testing::Test {
 protected:
  Result<ImportedNetwork> import(const std::string& bytes, const ImportOptions& options = {}) {
    const testing::TestFolder folder;
    return import_network(folder.write("net.onnx", bytes), options);
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
    ASSERT_TRUE(free_dimensions.contains(name)) << name << " has no entry here";
    EXPECT_EQ(network.layout().free_dimensions, free_dimensions.at(name)) << name;
    Subnet smallest = full_subnet(network);
    for (int& width : smallest.widths) width = 1;
    EXPECT_LT(cost(network, smallest).macs, cost(network, full_subnet(network)).macs) << name;
    EXPECT_TRUE(import(testing::test_network(name), {.opaque = true})->opaque.empty()) << name;
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

TEST_F(Import, AFailureNamesWhatWasNotUnderstoodBeforeIt) {
  OnnxBuilder net;
  const std::string a = net.conv(net.input("image", {3, 4, 4}), {.in = 3, .out = 4});
  const std::string up = net.node("ConvTranspose", {a, net.random({4, 4, 1, 1}, 4)});
  const std::string y = net.node("Mish", {up}), z = net.node("Mish", {up});
  net.output(y, "y", {4, 4, 4});
  net.output(up, "up", {4, 4, 4});
  net.output(z, "z", {4, -1, -1});
  const std::string error = import(net.finish(), {.opaque = true}).error().message;
  EXPECT_THAT(error, HasSubstr("(Mish): there is no rule for this op; nor does the file tell the shape"));
  EXPECT_THAT(error, HasSubstr("onnx.shape_inference.infer_shapes()"));
  EXPECT_THAT(error,
              HasSubstr("; before it, node 'up' (ConvTranspose) and 1 more were not understood either: "));
}

TEST_F(Import, LayerNormOfOldOperatorSetsIsCalledWhatItIs) {
  OnnxBuilder net;
  const std::string a = net.conv(net.input("image", {3, 4, 4}), {.in = 3, .out = 4});
  const std::string last = net.node("Transpose", {a});
  net.with("perm", Integers{0, 2, 3, 1});
  const std::string mean = net.node("ReduceMean", {last});
  net.with("axes", Integers{-1});
  net.output(net.node("Sub", {last, mean}), "y", {4, 4, 4});
  EXPECT_THAT(import(net.finish()).error().message,
              HasSubstr("looks like layer norm; layer norm is not supported"));
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

// A value by another name is read by others, too.
TEST_F(Import, AConstantIsNoBiasOfALayerThatOthersRead) {
  OnnxBuilder net;
  const std::string c = net.conv(net.input("image", {3, 4, 4}), {.in = 3, .out = 4});
  const std::string more = net.node("Add", {net.node("Identity", {c}), net.floats({4, 1, 1}, {1, 2, 3, 4})});
  net.output(net.node("Add", {more, net.relu(c)}), "y", {4, 4, 4});
  const Graph network = graph(net.finish());
  EXPECT_EQ(count<op::Shift>(network), 1);
  EXPECT_FALSE(std::get<op::Conv>(network.node(1).op).bias);
}

TEST_F(Import, OutputsKeepTheirNamesThroughWhatDoesNothing) {
  OnnxBuilder net;
  const std::string flat = net.pooled(net.conv(net.input("image", {3, 4, 4}), {.in = 3, .out = 4}));
  const std::string fc = net.node("MatMul", {flat, net.random({4, 2}, 4)});
  net.output(net.node("Reshape", {fc, net.integers({0, -1})}), "logits", {2});
  const Graph network = graph(net.finish());
  EXPECT_EQ(network.node(network.output()).name, "logits");
  EXPECT_TRUE(import(net.finish())->network.weights.contains("logits.weight"));
}

TEST_F(Import, LongResidualStreamsOfProductsAreNoDoubling) {
  OnnxBuilder net;
  std::string x = net.input("image", {4, 2, 2});
  for (int i = 0; i < 30; ++i) {
    const std::string sum = net.node("Add", {x, net.conv(x, {.in = 4, .out = 4})});
    x = net.node("Mul", {sum, net.node("Sigmoid", {sum})});
  }
  net.output(x, "y", {4, 2, 2});
  EXPECT_EQ(count<op::Mul>(graph(net.finish())), 30);
}

TEST_F(Import, ComputesShapesInTheirTypes) {
  OnnxBuilder net;  // 7 / 2 * 4 is 12 in whole numbers
  const std::string x = net.input("image", {2, 7, 7});
  const std::string sizes = net.node("Slice", {net.node("Shape", {x}), net.integers({2}), net.integers({4})});
  const std::string half = net.node("Div", {sizes, net.integers({2})});
  const std::string four = net.node("Mul", {half, net.integers({4})});
  const std::string all = net.node("Concat", {net.integers({1, 2}), four});
  net.with("axis", std::int64_t{0});
  net.output(net.node("Resize", {x, "", "", all}), "y", {2, 12, 12});
  net.with("mode", "nearest").with("coordinate_transformation_mode", "asymmetric");
  EXPECT_EQ(graph(net.finish()).shape(1), (Shape{2, 12, 12}));
}

TEST_F(Import, AResizeToSizesIsReadAsItWasWritten) {
  OnnxBuilder net;
  const std::string x = net.input("image", {2, 7, 3});
  net.output(net.node("Resize", {x, "", "", net.integers({1, 2, 31, 10})}), "y", {2, 31, 10});
  net.with("mode", "linear").with("coordinate_transformation_mode", "half_pixel");
  const auto imported = import(net.finish());
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(parse_network(*serialize_network(imported->network))->graph, imported->network.graph);
}

struct Strange {
  const char* sentence;
  std::function<std::string(OnnxBuilder&, const std::string& x)> node;  // x: [3, 4, 4]
};

TEST_F(Import, WhatMeansSomethingElseIsRefused) {
  const std::vector<Strange> all = {
      {"casts to another type",
       [](auto& net, const auto& x) {
         const std::string y = net.node("Cast", {x});
         net.with("to", std::int64_t{7});
         return y;
       }},
      {"computes with the size of the batch",
       [](auto& net, const auto& x) {
         const std::string batch = net.node("Gather", {net.node("Shape", {x}), net.integers({0})});
         const std::string twice = net.node("Mul", {batch, net.integers({2})});
         const std::string shape = net.node("Concat", {twice, net.integers({-1})});
         net.with("axis", std::int64_t{0});
         return net.node("Reshape", {x, shape});
       }},
      {"changes the batch",
       [](auto& net, const auto& x) {
         return net.node("Reshape", {x, net.integers({2, -1})});
       }},
      {"is not one value for each of 4 features",
       [](auto& net, const auto& x) {
         const std::string flat = net.node("Flatten", {x});
         return net.node("Gemm", {flat, net.random({48, 4}, 48), net.floats({4, 1}, {1, 2, 3, 4})});
       }},
      {"lists an axis twice",
       [](auto& net, const auto& x) {
         const std::string y = net.node("ReduceMean", {x});
         net.with("axes", Integers{2, 2});
         return y;
       }},
      {"does not gather a list of channels",
       [](auto& net, const auto& x) {
         const std::string index = net.node("Unsqueeze", {net.integers({0, 1}), net.integers({0})});
         const std::string y = net.node("Gather", {x, index});
         net.with("axis", std::int64_t{1});
         return y;
       }},
      {"its value is not finite",
       [](auto& net, const auto& x) {
         return net.node("Pad", {x, net.integers({0, 0, 1, 1, 0, 0, 1, 1}), net.floats({}, {NAN})});
       }},
      {"out of all proportion", [](auto& net, const auto& x) {
         std::string large = net.node("ConstantOfShape", {net.integers({4096, 4096})});
         for (int i = 0; i < 2000; ++i) large = net.node("Neg", {large});
         return net.node("Add", {x, large});
       }}};
  for (const auto& [sentence, node] : all) {
    OnnxBuilder net;
    const std::string x = net.input("image", {3, 4, 4});
    net.output(net.relu(node(net, x)), "y", {3, 4, 4});
    const std::string bytes = net.finish();
    const auto read = parse_network(bytes);  // bounded by the file's size
    ASSERT_FALSE(read) << sentence;
    if (std::string(sentence) == "out of all proportion") continue;  // there it is the first large one
    EXPECT_THAT(read.error().message, HasSubstr(sentence));
  }
}

TEST_F(Import, ANamesakeOfAnInnerValueCannotBeWritten) {
  op::Input input;
  input.shape = {4, 2, 2};
  op::ChannelShuffle shuffle;
  shuffle.groups = 2;
  const Graph network = *Graph::make({{"x", input, {}}, {"s", shuffle, {0}}, {"s.cut", op::relu(), {1}}});
  EXPECT_THAT(serialize_network({network, {}}).error().message, HasSubstr("two values are called 's.cut'"));
}

// Strange files must not cost much: their arrays' sizes do not say how many values there are, or the same
// axis is locked over and over.
TEST_F(Import, SmallFilesStayCheap) {
  onnx::TensorProto tensor;
  for (const int size : {4097, 4096, 2}) tensor.add_dims(size);
  tensor.set_data_type(onnx::TensorProto::BOOL);
  const std::string raw(4097 * 4096, '\0');
  EXPECT_FALSE(read_folded({&tensor, raw}));

  OnnxBuilder net;
  std::string x = net.conv(net.input("image", {1, 2, 2}), {.in = 1, .out = 2});
  for (int i = 0; i < 12; ++i) {
    x = net.node("Concat", {x, x});
    net.with("axis", std::int64_t{1});
  }
  for (int i = 0; i < 20; ++i) net.node("Softmax", {x}), net.with("axis", std::int64_t{1});
  net.output(net.node("Softmax", {x}), "y", {8192, 2, 2});
  net.with("axis", std::int64_t{1});
  const Graph network = graph(net.finish());
  for (const ChannelDimension& dimension : network.layout().dimensions) {
    EXPECT_LE(dimension.locks.size(), 64u);
    EXPECT_LE(dimension.producers.size(), 64u);
  }
}

}  // namespace
}  // namespace concertina::onnx
