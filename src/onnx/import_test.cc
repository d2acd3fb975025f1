#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>

#include "graph/cost.h"
#include "onnx/folding.h"
#include "onnx/testing.h"
#include "testing/exporter_files.h"
#include "testing/onnx_builder.h"

namespace concertina::onnx {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::OnnxBuilder;
using Integers = OnnxBuilder::Integers;

// Free dimensions by what the papers' structures allow: those that residual connections join count once.
TEST_F(Import, EveryStructureShrinksWhereItCan) {
  const std::map<std::string, int> free_dimensions = {{"resnet", 4},         {"resnet_bottleneck", 5},
                                                      {"resnext", 3},        {"densenet", 10},
                                                      {"googlenet", 14},     {"squeezenet", 7},
                                                      {"mobilenet_v1", 3},   {"mobilenet_v2", 3},
                                                      {"mobilenet_v3", 6},   {"shufflenet_v2", 5},
                                                      {"efficientnet", 5},   {"vgg", 3},
                                                      {"alexnet", 3},        {"unet", 5},
                                                      {"two_inputs", 3},     {"odd", 2},
                                                      {"functions", 11},     {"functions_in_parts", 4},
                                                      {"expanded_gates", 4}, {"option_a", 7},
                                                      {"convnext", 4},       {"group_norms", 4},
                                                      {"cbam", 2},           {"keras", 2},
                                                      {"siamese", 3},        {"shared_head", 2},
                                                      {"transposed", 10},    {"pixel_shuffles", 7},
                                                      {"padded", 3},         {"computed_weights", 3},
                                                      {"norms_in_parts", 9}, {"reductions", 3},
                                                      {"cut_maps", 3},       {"channel_attention", 3},
                                                      {"reordered", 2},      {"lengths", 3}};
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
    EXPECT_TRUE(*serialize_static(*again) == *bytes) << name;
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
  EXPECT_THAT(import(net.finish()).error().message,
              HasSubstr("say what they shall be with concertina-train import FILE --input CxHxW"));
  const auto imported = import(net.finish(), {.input = Shape{3, 8, 6}});
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(imported->network.graph.shape(1), (Shape{4, 8, 6}));
}

TEST_F(Import, WhatIsNotUnderstoodIsNamedAndTheRestShrinks) {
  OnnxBuilder net;
  const std::string a = net.conv(net.input("image", {3, 4, 4}), {.in = 3, .out = 4});
  const std::string odd = net.node("Hardmax", {a});
  const std::string b = net.conv(net.conv(odd, {.in = 4, .out = 8}), {.in = 8, .out = 2});
  net.output(b, "y", {2, 4, 4});
  net.output(odd, "strange", {4, 4, 4});  // the file tells the shape of what the op makes
  EXPECT_THAT(import(net.finish()).error().message,
              HasSubstr("node '/Hardmax_2' (Hardmax): there is no rule"));
  const auto imported = import(net.finish(), {.opaque = true});
  ASSERT_TRUE(imported) << imported.error().message;
  ASSERT_EQ(imported->opaque.size(), 1u);
  EXPECT_EQ(imported->opaque[0].op, "Hardmax");
  EXPECT_EQ(imported->opaque[0].reason, "there is no rule for this op");
  EXPECT_EQ(imported->network.graph.layout().free_dimensions, 1);
}

TEST_F(Import, AllThatIsNotUnderstoodIsListedWithoutTheFilesShapes) {
  OnnxBuilder net;
  const std::string a = net.conv(net.input("image", {3, 4, 4}), {.in = 3, .out = 4});
  const std::string odd = net.node("Hardmax", {a});
  const std::string b = net.conv(net.conv(odd, {.in = 4, .out = 8}), {.in = 8, .out = 2});
  net.output(net.node("Softsign", {b}), "y", {2, 4, 4});
  const auto imported = import(net.finish(), {.opaque = true});
  ASSERT_TRUE(imported) << imported.error().message;
  ASSERT_EQ(imported->opaque.size(), 2u);
  EXPECT_THAT(imported->opaque[0].reason, HasSubstr("no rule for this op; the file does not tell the shape"));
  EXPECT_EQ(imported->opaque[1].op, "Softsign");
  EXPECT_EQ(imported->network.graph.layout().free_dimensions, 1);
}

TEST_F(Import, AFailureNamesWhatWasNotUnderstoodBeforeIt) {
  OnnxBuilder net;
  const std::string a = net.conv(net.input("image", {3, 4, 4}), {.in = 3, .out = 4});
  const std::string up = net.node("Det", {a});
  const std::string y = net.node("Hardmax", {up});
  net.output(net.node("Reshape", {y, net.node("Foo", {net.integers({1, 2})})}), "z", {4, 16});
  const std::string error = import(net.finish(), {.opaque = true}).error().message;
  EXPECT_THAT(error, HasSubstr("(Foo): all its inputs are constants"));
  EXPECT_THAT(error, HasSubstr("; before it, node '/Det_2' (Det) and 1 more were not "
                               "understood either: "));
}

TEST_F(Import, ATransposedConvolutionCutsOffNoMoreThanItReaches) {
  OnnxBuilder net;
  const std::string x = net.input("image", {3, 4, 4});
  net.output(net.node("ConvTranspose", {x, net.random({3, 2, 2, 2}, 3)}), "y", {2, 4, 4});
  net.with("strides", Integers{2, 2}).with("pads", Integers{2, 2, 2, 2});
  EXPECT_THAT(import(net.finish()).error().message, HasSubstr("cuts off more than its window reaches"));
}

TEST_F(Import, NormsInPartsAreOneNode) {
  const Graph network = graph(testing::test_network("norms_in_parts"));
  EXPECT_EQ(count<op::GroupNorm>(network), 9);
  EXPECT_EQ(count<op::ChannelReduce>(network), 0);
  EXPECT_EQ(count<op::Scale>(network), 0);
}

// A mean that something else reads, other axes, or a file that says what the norm's inside is.
TEST_F(Import, WhatOnlyLooksLikeANormIsNone) {
  const std::function<std::string(OnnxBuilder&, const std::string&)> others[] = {
      [](auto& net, const auto& x) {
        const std::string y = net.layer_norm_in_parts(x, {1});
        return net.node("Add", {y, net.last("ReduceMean")});
      },
      [](auto& net, const auto& x) {
        return net.layer_norm_in_parts(x, {1}, {2, 3});
      },
      [](auto& net, const auto& x) {
        return net.layer_norm_in_parts(x, {1, 2});
      }};
  for (const auto& make : others) {
    OnnxBuilder net;
    const std::string x = net.conv(net.input("image", {3, 4, 4}), {.in = 3, .out = 4});
    net.output(make(net, x), "y", {4, 4, 4});
    EXPECT_EQ(count<op::GroupNorm>(graph(net.finish())), 0);
  }
}

// What is added before a node takes no name of an output.
TEST_F(Import, OutputsOfNodesWithoutNamesKeepTheirs) {
  OnnxBuilder net;
  const std::string a = net.conv(net.input("image", {3, 4, 4}), {.in = 3, .out = 4});
  net.output(net.node("Div", {a, net.node("Abs", {a})}), "quotient", {4, 4, 4});
  net.output(net.node("Sub", {a, net.node("Sigmoid", {a})}), "difference", {4, 4, 4});
  onnx::ModelProto model;
  ASSERT_TRUE(model.ParseFromString(net.finish()));
  for (onnx::NodeProto& node : *model.mutable_graph()->mutable_node()) node.clear_name();
  const Graph network = graph(model.SerializeAsString());
  ASSERT_EQ(network.outputs().size(), 2u);
  EXPECT_EQ(network.node(network.outputs()[0]).name, "quotient");
  EXPECT_EQ(network.node(network.outputs()[1]).name, "difference");
}

TEST_F(Import, AFilterAlongChannelsIsAMatrix) {
  const auto imported = import(testing::test_network("channel_attention"));
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_THAT(imported->untied,
              ElementsAre(HasSubstr("becomes a matrix of 10 x 10"), HasSubstr("becomes a matrix of 8 x 8")));
}

TEST_F(Import, AFilterOfALineIsRefused) {
  OnnxBuilder net;
  const std::string x = net.conv(net.input("image", {3, 1, 4}), {.in = 3, .out = 4});
  const std::string line = net.node("Squeeze", {x, net.integers({2})});
  net.output(net.node("Conv", {line, net.random({4, 4, 1}, 4)}), "y", {4, 4});
  EXPECT_THAT(import(net.finish()).error().message, HasSubstr("write the network with maps of one row"));
  OnnxBuilder longer;
  const std::string mean = longer.pooled(longer.input("image", {4, 2, 2}));
  const std::string row = longer.node("Reshape", {mean, longer.integers({-1, 1, 4})});
  longer.output(longer.node("Conv", {row, longer.random({1, 1, 3}, 4)}), "y", {1, 2});
  EXPECT_THAT(import(longer.finish()).error().message, HasSubstr("makes another number of them"));
}

TEST_F(Import, ValuesWhereConstantsBelongAreCalledSo) {
  const struct {
    const char* sentence;
    std::function<std::string(OnnxBuilder&, const std::string&)> node;
  } all[] = {
      {"as attention does",
       [](auto& net, const auto& x) {
         return net.node("MatMul", {x, x});
       }},
      {"filters are computed from the image",
       [](auto& net, const auto& x) {
         return net.node("Conv", {x, x});
       }},
      {"joins a constant to values",
       [](auto& net, const auto& x) {
         const std::string y = net.node("Concat", {net.random({1, 2, 4, 4}, 3), x});
         net.with("axis", std::int64_t{1});
         return y;
       }},
      {"gathers channel 4 of 4",
       [](auto& net, const auto& x) {
         const std::string y = net.node("Gather", {x, net.integers({0, 4})});
         net.with("axis", std::int64_t{1});
         return y;
       }},
      {"repeats something else than channels",
       [](auto& net, const auto& x) {
         return net.node("Tile", {x, net.integers({1, 1, 2, 1})});
       }},
  };
  for (const auto& [sentence, node] : all) {
    OnnxBuilder net;
    const std::string x = net.conv(net.input("image", {3, 4, 4}), {.in = 3, .out = 4});
    net.output(node(net, x), "y", {4, 4, 4});
    EXPECT_THAT(import(net.finish()).error().message, HasSubstr(sentence));
  }
}

// What makes as many values as it reads is locked though the file tells no shapes, in any layout.
TEST_F(Import, AnOpaqueNodeKeepsTheLayout) {
  OnnxBuilder net;
  const std::string a = net.conv(net.input("image", {3, 4, 5}), {.in = 3, .out = 6});
  const std::string last = net.node("Transpose", {a});
  net.with("perm", Integers{0, 2, 3, 1});
  const std::string root = net.node("Pow", {net.node("Softsign", {last}), net.floats({}, {1.5F})});
  const std::string back = net.node("Transpose", {root});
  net.with("perm", Integers{0, 3, 1, 2});
  net.output(net.conv(net.conv(back, {.in = 6, .out = 8}), {.in = 8, .out = 2}), "y", {2, 4, 5});
  const auto imported = import(net.finish(), {.opaque = true});
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(imported->opaque.size(), 2u);
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
  EXPECT_THAT(import(turned.finish()).error().message, HasSubstr("neither a map"));
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

TEST_F(Import, ExpandIsNothingWhereWhatReadsItRepeatsByItself) {
  const Graph network = graph(testing::test_network("expanded_gates"));
  EXPECT_EQ(count<op::Mul>(network), 2);
  EXPECT_EQ(count<op::Resize>(network), 0);
}

TEST_F(Import, WhatElseReadsAnExpandIsRefused) {
  const struct {
    const char* sentence;
    std::function<std::string(OnnxBuilder&, const std::string& spread)> read;
  } readers[] = {
      {"has repeated to 4x4x4", [](auto& net, const auto& spread) { return net.relu(spread); }},
      {"has repeated to 4x4x4",
       [](auto& net, const auto& spread) {
         return net.node("Reshape", {spread, net.integers({-1, 64})});
       }},
      {"the shape of what an Expand has repeated",
       [](auto& net, const auto& spread) {
         return net.node("Reshape", {net.input("b", {64}), net.node("Shape", {spread})});
       }},
  };
  for (const auto& [sentence, read] : readers) {
    OnnxBuilder net;
    const std::string x = net.conv(net.input("image", {3, 4, 4}), {.in = 3, .out = 4});
    const std::string spread =
        net.node("Expand", {net.node("GlobalAveragePool", {x}), net.node("Shape", {x})});
    net.output(read(net, spread), "y", {4, 4, 4});
    EXPECT_THAT(import(net.finish()).error().message, HasSubstr(sentence));
  }
  OnnxBuilder net;
  const std::string x = net.conv(net.input("image", {3, 4, 4}), {.in = 3, .out = 4});
  net.output(net.node("Expand", {x, net.integers({8, 4, 4, 4})}), "y", {4, 4, 4});
  EXPECT_THAT(import(net.finish()).error().message, HasSubstr("it repeats the batch"));
}

// Rows and columns are alike, so only the order tells that this is no N x H x W x C.
TEST_F(Import, ALinearLayerOnColumnsFirstIsRefused) {
  OnnxBuilder net;
  const std::string x = net.conv(net.input("image", {3, 4, 4}), {.in = 3, .out = 5});
  const std::string turned = net.node("Transpose", {x});
  net.with("perm", Integers{0, 3, 2, 1});
  const std::string y = net.node("Transpose", {net.node("MatMul", {turned, net.random({5, 6}, 5)})});
  net.with("perm", Integers{0, 3, 1, 2});
  net.output(y, "y", {6, 4, 4});
  EXPECT_FALSE(import(net.finish()));
}

TEST_F(Import, AnArgMaxAtTheEndIsLeftOff) {
  OnnxBuilder net;
  const std::string x = net.pooled(net.conv(net.input("image", {3, 4, 4}), {.in = 3, .out = 4}));
  const std::string shares = net.node("Softmax", {net.linear(x, 4, 5)});
  net.output(net.node("ArgMax", {shares}), "label", {});
  net.with("axis", std::int64_t{1}).with("keepdims", std::int64_t{0});
  net.output(shares, "shares", {5});
  const auto imported = import(net.finish());
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_THAT(imported->left_off, ElementsAre("the ArgMax '/ArgMax_8'"));
  EXPECT_EQ(imported->network.graph.outputs().size(), 1u);
  EXPECT_EQ(imported->network.graph.shape(imported->network.graph.output()).channels, 5);
}

TEST_F(Import, AReshapeThatAllowsZerosAndHasNone) {
  const auto reshaped = [&](std::int64_t first) {
    OnnxBuilder net;
    const std::string x = net.conv(net.input("image", {3, 4, 4}), {.in = 3, .out = 4});
    net.output(net.node("Reshape", {x, net.integers({first, 64})}), "y", {64});
    net.with("allowzero", std::int64_t{1});
    return import(net.finish());
  };
  EXPECT_TRUE(reshaped(-1));
  EXPECT_THAT(reshaped(0).error().message, HasSubstr("a value without elements"));
}

// 1, -2.5, 2^-24 and -65504 as IEEE 754 halves; 1 and -2.5 as bfloat16.
TEST_F(Import, SixteenBitFloatsAreReadAs32) {
  onnx::TensorProto tensor;
  tensor.add_dims(4);
  tensor.set_data_type(onnx::TensorProto::FLOAT16);
  const std::string raw("\x00\x3c\x00\xc1\x01\x00\xff\xfb", 8);
  EXPECT_THAT(read_folded({&tensor, raw})->values, ElementsAre(1, -2.5, std::ldexp(1, -24), -65504));
  for (const int bits : {0x3c00, 0xc100, 0x0001, 0xfbff}) tensor.add_int32_data(bits);
  EXPECT_THAT(read_folded({&tensor, {}})->values, ElementsAre(1, -2.5, std::ldexp(1, -24), -65504));

  tensor.set_dims(0, 2);
  tensor.set_data_type(onnx::TensorProto::BFLOAT16);
  EXPECT_THAT(read_folded({&tensor, std::string("\x80\x3f\x20\xc0", 4)})->values, ElementsAre(1, -2.5));
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
