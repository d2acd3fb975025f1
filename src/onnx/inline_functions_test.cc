#include "onnx/inline_functions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnx/network_file.h"
#include "testing/onnx_builder.h"
#include "testing/temporary_folder.h"

namespace concertina::onnx {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

onnx::NodeProto node(const std::string& type, const std::vector<std::string>& inputs,
                     const std::string& output, const std::string& domain = "") {
  onnx::NodeProto node;
  node.set_op_type(type);
  for (const std::string& input : inputs) node.add_input(input);
  node.add_output(output);
  node.set_domain(domain);
  return node;
}

/// leak(x; slope = 0.25) = LeakyRelu(x, alpha = slope); twice(x) = leak(leak(x)), in the domain "own".
void add_functions(onnx::ModelProto& model) {
  onnx::FunctionProto& leak = *model.add_functions();
  leak.set_name("leak");
  leak.set_domain("own");
  leak.add_input("x");
  leak.add_output("y");
  onnx::AttributeProto& slope = *leak.add_attribute_proto();
  slope.set_name("slope");
  slope.set_type(onnx::AttributeProto::FLOAT);
  slope.set_f(0.25F);
  onnx::NodeProto& relu = *leak.add_node();
  relu = node("LeakyRelu", {"x"}, "y");
  onnx::AttributeProto& alpha = *relu.add_attribute();
  alpha.set_name("alpha");
  alpha.set_type(onnx::AttributeProto::FLOAT);
  alpha.set_ref_attr_name("slope");

  onnx::FunctionProto& twice = *model.add_functions();
  twice.set_name("twice");
  twice.set_domain("own");
  twice.add_input("x");
  twice.add_output("z");
  *twice.add_node() = node("leak", {"x"}, "y", "own");
  *twice.add_node() = node("leak", {"y"}, "z", "own");
  onnx::AttributeProto& given = *twice.mutable_node(1)->add_attribute();
  given.set_name("slope");
  given.set_type(onnx::AttributeProto::FLOAT);
  given.set_f(0.5F);
}

onnx::ModelProto model_with(const std::string& called) {
  testing::OnnxBuilder net;
  const std::string x = net.conv(net.input("image", {3, 4, 4}), {.in = 3, .out = 4});
  net.output("end", "end", {4, 4, 4});
  onnx::ModelProto model;
  EXPECT_TRUE(model.ParseFromString(net.finish()));
  *model.mutable_graph()->add_node() = node(called, {x}, "end", "own");
  add_functions(model);
  return model;
}

TEST(InlineFunctions, CallsBecomeTheirNodesWithTheirAttributes) {
  const testing::TestFolder folder;
  const auto path = folder.write("net.onnx", model_with("twice").SerializeAsString());
  const auto imported = import_network(path);
  ASSERT_TRUE(imported) << imported.error().message;
  const Graph& graph = imported->network.graph;
  ASSERT_EQ(graph.size(), 4);
  EXPECT_EQ(std::get<op::Activation>(graph.node(2).op), op::activation(op::Function::leaky_relu, 0.25F));
  EXPECT_EQ(std::get<op::Activation>(graph.node(3).op), op::activation(op::Function::leaky_relu, 0.5F));
  EXPECT_EQ(graph.node(2).name, "end/y");
  EXPECT_EQ(graph.node(3).name, "end");
}

TEST(InlineFunctions, AnEndlessCallIsRefused) {
  onnx::ModelProto model = model_with("twice");
  *model.mutable_functions(0)->mutable_node(0) = node("twice", {"x"}, "y", "own");
  EXPECT_THAT(inline_functions(model).error().message, HasSubstr("without end"));
}

TEST(InlineFunctions, DoublingIsBounded) {
  onnx::ModelProto model = model_with("f30");
  for (int i = 0; i <= 30; ++i) {
    onnx::FunctionProto& function = *model.add_functions();
    function.set_name("f" + std::to_string(i));
    function.set_domain("own");
    function.add_input("x");
    function.add_output("z");
    const std::string inner = i == 0 ? "leak" : "f" + std::to_string(i - 1);
    *function.add_node() = node(inner, {"x"}, "y", "own");
    *function.add_node() = node(inner, {"y"}, "z", "own");
  }
  EXPECT_THAT(inline_functions(model).error().message, HasSubstr("too many nodes"));
}

}  // namespace
}  // namespace concertina::onnx
