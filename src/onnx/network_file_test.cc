#include "onnx/network_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "base/base64.h"
#include "graph/random_weights.h"
#include "onnx/check.h"
#include "onnx_subset.pb.h"
#include "testing/graphs.h"
#include "testing/net.h"

namespace concertina::onnx {
namespace {

using ::testing::HasSubstr;
using testing::kImage;
using testing::Net;

Network random_network(Net& net) {
  const Graph graph = net.build();
  return {graph, random_weights(graph)};
}

onnx::ModelProto every_op_onnx() {
  const Graph graph = testing::every_op();
  onnx::ModelProto model;
  model.ParseFromString(*serialize_static({graph, random_weights(graph)}));
  return model;
}

onnx::NodeProto& node(onnx::ModelProto& model, std::string_view name) {
  for (onnx::NodeProto& candidate : *model.mutable_graph()->mutable_node()) {
    if (candidate.name() == name) return candidate;
  }
  ADD_FAILURE() << name;
  return *model.mutable_graph()->mutable_node(0);
}

onnx::TensorProto& tensor(onnx::ModelProto& model, std::string_view name) {
  for (onnx::TensorProto& candidate : *model.mutable_graph()->mutable_initializer()) {
    if (candidate.name() == name) return candidate;
  }
  ADD_FAILURE() << name;
  return *model.mutable_graph()->mutable_initializer(0);
}

void set_integer(onnx::NodeProto& node, const char* name, std::int64_t value) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INT);
  attribute.set_i(value);
}

struct Case {
  const char* sentence;
  std::function<void(onnx::ModelProto&)> edit;
};

void expect_refusals(const std::vector<Case>& cases) {
  for (const auto& [sentence, edit] : cases) {
    onnx::ModelProto model = every_op_onnx();
    edit(model);
    const auto network = parse_network(model.SerializeAsString());
    ASSERT_FALSE(network) << sentence;
    EXPECT_THAT(network.error().message, HasSubstr(sentence));
  }
}

TEST(NetworkFile, ReadsWhatItWrote) {
  onnx::ModelProto model = every_op_onnx();
  const auto network = parse_network(model.SerializeAsString());
  ASSERT_TRUE(network) << network.error().message;
  EXPECT_EQ(*serialize_static(*network), model.SerializeAsString());
  EXPECT_TRUE(check_network(*network));
}

TEST(NetworkFile, RefusesNodesThatItDoesNotUnderstand) {
  expect_refusals(
      {{"node 'sum' (Pow): there is no rule for this op", [](auto& m) { node(m, "sum").set_op_type("Pow"); }},
       {"node 'sum' (Add): the op's domain 'my.ops' is not ONNX's own",
        [](auto& m) { node(m, "sum").set_domain("my.ops"); }},
       {"node 'stem' (Conv): its attribute 'novelty' is not supported",
        [](auto& m) { set_integer(node(m, "stem"), "novelty", 1); }},
       {"it counts padding, and windows hang over the end",
        [](auto& m) { set_integer(node(m, "counting"), "ceil_mode", 1); }},
       {"'strides' must be 2 whole numbers between 1 and 16777216",
        [](auto& m) { node(m, "stem").mutable_attribute(1)->set_ints(0, 0); }},
       {"'strides' must be 2", [](auto& m) { node(m, "stem").mutable_attribute(1)->add_ints(1); }},
       {"'pads' must be 4", [](auto& m) { node(m, "stem").mutable_attribute(2)->set_ints(0, -1); }},
       {"'pads' has the wrong type",
        [](auto& m) { node(m, "stem").mutable_attribute(2)->set_type(onnx::AttributeProto::INT); }},
       {"'flatten' (Flatten): it does not flatten from the channels on",
        [](auto& m) { node(m, "flatten").mutable_attribute(0)->set_i(2); }},
       {"'detail' (Gemm): its bias of 5 is not one value for each of 160 features",
        [](auto& m) { node(m, "detail").clear_attribute(); }},
       {"it works along axis 0, not along the channels",
        [](auto& m) { node(m, "probabilities").mutable_attribute(0)->set_i(0); }},
       {"'stem.relu6' (Clip): its lower bound 0 lies above its upper bound -7",
        [](auto& m) { tensor(m, "stem.relu6.max").set_raw_data(to_little_endian({{-7}})); }},
       {"node 'whole' (Gemm): it needs an input of rank 2, but rank 4 arrives; put a Flatten",
        [](auto& m) { node(m, "whole").set_input(0, "pool"); }}});
}

TEST(NetworkFile, RefusesBadStructure) {
  expect_refusals(
      {{"node 'stem.relu6' (Clip): it reads 'stem', which is not the output of a node before it",
        [](auto& m) { m.mutable_graph()->mutable_node()->SwapElements(0, 1); }},
       {"node 'stem' (Conv): it reads 'score'", [](auto& m) { node(m, "stem").set_input(0, "score"); }},
       {"node 'sum' (Add): it reads 1 values", [](auto& m) { node(m, "sum").mutable_input()->RemoveLast(); }},
       {"node 'stem' (Conv): it has 0 constant",
        [](auto& m) {
          node(m, "stem").mutable_input()->RemoveLast();
          node(m, "stem").mutable_input()->RemoveLast();
        }},
       {"name 'stem' is empty or not unique", [](auto& m) { node(m, "left").set_output(0, "stem"); }},
       {"node 'stem' (Conv): it has no output", [](auto& m) { node(m, "stem").clear_output(); }},
       {"the network has no input", [](auto& m) { m.mutable_graph()->clear_input(); }},
       {"name 'image' is empty or not unique",
        [](auto& m) { *m.mutable_graph()->add_input() = m.graph().input(0); }},
       {"'image' leaves its channels, height or width open; say what they shall be",
        [](auto& m) {
          m.mutable_graph()
              ->mutable_input(0)
              ->mutable_type()
              ->mutable_tensor_type()
              ->mutable_shape()
              ->mutable_dim(2)
              ->set_dim_param("H");
        }},
       {"'image' must be floats of shape",
        [](auto& m) { m.mutable_graph()->mutable_input(0)->clear_type(); }},
       {"the network has no output", [](auto& m) { m.mutable_graph()->clear_output(); }},
       {"no node makes the network's output 'y'",
        [](auto& m) { m.mutable_graph()->mutable_output(0)->set_name("y"); }},
       {"operator set is 6", [](auto& m) { m.mutable_opset_import(0)->set_version(6); }}});
}

TEST(NetworkFile, RefusesArraysThatDoNotFit) {
  expect_refusals(
      {{"node 'left' (Conv): it reads 'left.weight', which is not",
        [](auto& m) { tensor(m, "left.weight").set_name("other"); }},
       {"two values are called 'stem.bias'", [](auto& m) { tensor(m, "left.bias").set_name("stem.bias"); }},
       {"array 'stem.bias': it holds 28 bytes, which do not fill its shape",
        [](auto& m) { tensor(m, "stem.bias").mutable_raw_data()->resize(28); }},
       {"array 'stem.bias': it holds 0 bytes", [](auto& m) { tensor(m, "stem.bias").clear_raw_data(); }},
       {"array 'stem.bias': its size 0 is not between",
        [](auto& m) { tensor(m, "stem.bias").set_dims(0, 0); }},
       {"array 'stem.bias': its data type is number 14",
        [](auto& m) { tensor(m, "stem.bias").set_data_type(14); }},
       {"array 'stem.bias': its values are in another file",
        [](auto& m) { tensor(m, "stem.bias").set_data_location(onnx::TensorProto::EXTERNAL); }},
       {"'stem.bias' is 4x2 where the network needs 8",
        [](auto& m) {
          tensor(m, "stem.bias").set_dims(0, 4);
          tensor(m, "stem.bias").add_dims(2);
        }},
       {"'left.weight' does not have 4 sizes",
        [](auto& m) { tensor(m, "left.weight").set_dims(0, 1LL << 40); }},
       {"'stem.bias' holds a value that is not finite",
        [](auto& m) {
          tensor(m, "stem.bias").set_raw_data(to_little_endian(std::vector<float>(8, INFINITY)));
        }},
       {"'join.norm.running_var' holds a negative variance",
        [](auto& m) {
          tensor(m, "join.norm.running_var").set_raw_data(to_little_endian(std::vector<float>(10, -1)));
        }},
       {"epsilon of batch norm 'join.norm'",
        [](auto& m) { node(m, "join.norm").mutable_attribute(0)->set_f(0); }}});
}

TEST(NetworkFile, SmallFilesCannotAskForLargeNetworks) {
  expect_refusals(
      {{"its value of 16777216x16777216x16777216 is too large",
        [](auto& m) {
          auto& shape =
              *m.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
          for (int i = 1; i < 4; ++i) shape.mutable_dim(i)->set_dim_value(1 << 24);
        }},
       {"node 'stem' (Conv): it has too many channels",
        [](auto& m) { node(m, "stem").mutable_attribute(3)->set_i(1 << 24); }},
       {"the network concatenates too often", [](auto& m) {
          std::string last = "image";
          for (int i = 0; i < 60; ++i) {
            onnx::NodeProto& twice = *m.mutable_graph()->add_node();
            twice.set_op_type("Concat");
            set_integer(twice, "axis", 1);
            for (int side = 0; side < 2; ++side) twice.add_input(last);
            last = "twice" + std::to_string(i);
            twice.add_output(last);
          }
        }}});
}

TEST(NetworkFile, ManyNodesCannotMultiplyOneArray) {
  Net net({32, 4, 4});
  NodeId x = kImage;
  for (int i = 0; i < 200; ++i) x = net.conv("conv" + std::to_string(i), x, 32, testing::kThree, 1, false);
  const Graph graph = net.build();
  onnx::ModelProto model;
  model.ParseFromString(*serialize_static({graph, random_weights(graph)}));
  for (onnx::NodeProto& reader : *model.mutable_graph()->mutable_node()) reader.set_input(1, "conv0.weight");
  EXPECT_TRUE(parse_network(model.SerializeAsString()));
  model.mutable_graph()->mutable_initializer()->DeleteSubrange(1, 199);
  EXPECT_THAT(parse_network(model.SerializeAsString()).error().message,
              HasSubstr("arrays are shared by more nodes than is supported"));
}

TEST(NetworkFile, ReadsWhatOtherExportersWrite) {
  const auto twin = parse_network(every_op_onnx().SerializeAsString());
  onnx::ModelProto model = every_op_onnx();
  onnx::TensorProto& bias = tensor(model, "stem.bias");
  for (const float value : from_little_endian(bias.raw_data())) bias.add_float_data(value);
  bias.clear_raw_data();
  onnx::NodeProto& constant = *model.mutable_graph()->add_node();  // the bound of the clip as a node
  constant.set_op_type("Constant");
  constant.add_output("six");
  onnx::AttributeProto& value = *constant.add_attribute();
  value.set_name("value");
  value.set_type(onnx::AttributeProto::TENSOR);
  *value.mutable_t() = tensor(model, "stem.relu6.max");
  node(model, "stem.relu6").set_input(2, "six");
  onnx::NodeProto& dropout = *model.mutable_graph()->add_node();
  dropout.set_op_type("Dropout");
  dropout.add_input("pooled");
  dropout.add_output("kept");
  node(model, "whole").set_input(0, "kept");
  // The dropout goes before its reader and the constant to the front.
  auto& nodes = *model.mutable_graph()->mutable_node();
  for (int i = nodes.size() - 1; nodes[i - 1].name() != "pooled"; --i) nodes.SwapElements(i, i - 1);
  for (int i = nodes.size() - 1; i > 0; --i) nodes.SwapElements(i, i - 1);
  const auto network = parse_network(model.SerializeAsString());
  ASSERT_TRUE(network) << network.error().message;
  EXPECT_EQ(network->graph, twin->graph);
  EXPECT_EQ(network->weights, twin->weights);
}

TEST(NetworkFile, SaysWhatCannotBeWritten) {
  const Shape vector = {4, 1, 1};
  Net strange(vector), pooled(vector), clash(vector);
  strange.opaque("memory", kImage, "LSTM", vector);
  EXPECT_EQ(serialize_static({strange.build(), {}}).error().message,
            "node 'memory': the op LSTM is known by name only and cannot be written");

  pooled.linear("fc", pooled.global("pool", kImage), 4);
  EXPECT_THAT(serialize_static(random_network(pooled)).error().message,
              HasSubstr("node 'fc' (Linear): it needs an input of rank 2, but rank 4 arrives"));

  clash.relu("fc.weight", clash.linear("fc", kImage, 4));
  EXPECT_THAT(serialize_static(random_network(clash)).error().message,
              HasSubstr("a node and an array are both called 'fc.weight'"));
}

TEST(NetworkFile, AVectorInputHasRankTwo) {
  Net net({4, 1, 1});
  net.linear("fc", net.relu("relu", kImage), 4);
  const Network network = random_network(net);
  const auto bytes = serialize_static(network);
  ASSERT_TRUE(bytes) << bytes.error().message;
  EXPECT_EQ(parse_network(*bytes)->graph, network.graph);
}

}  // namespace
}  // namespace concertina::onnx
