#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>

#include "onnx/fold_batch_norm.h"
#include "onnx/int8_export.h"
#include "onnx/testing.h"
#include "testing/models.h"
#include "testing/onnx_builder.h"

// Files in 8 bits (QDQ) are read as networks of floats with the same limits.
namespace concertina::onnx {
namespace {

using ::testing::HasSubstr;
using testing::OnnxBuilder;

TEST_F(Import, ReadsOurOwnExportsInEightBits) {
  for (const testing::NamedGraph& net : testing::test_graphs()) {
    SCOPED_TRACE(net.name);
    ModelFile model = testing::random_model(net.graph(), 1);
    for (const Node& node : model.network.graph.nodes())
      model.subnets[0].quantization[node.name] = {1.0F / 64, 128};
    const Subnet& full = model.subnets[0].subnet;
    const auto read = parse_network(*export_int8(model, full));
    ASSERT_TRUE(read) << read.error().message;
    const Network folded = fold_batch_norm(extract(model.network, full, model.subnets[0].own));
    std::map<std::string, NodeId> convs;
    for (NodeId id = 0; id < read->graph.size(); ++id) convs[read->graph.node(id).name] = id;
    for (NodeId id = 0; id < folded.graph.size(); ++id) {
      const Node& old = folded.graph.node(id);
      if (!std::holds_alternative<op::Conv>(old.op)) continue;
      ASSERT_TRUE(convs.contains(old.name)) << old.name;
      const Node& node = read->graph.node(convs.at(old.name));
      const auto& got = read->weights.at(parameter_name(node, "weight")).values;
      const auto& wanted = folded.weights.at(parameter_name(old, "weight")).values;
      ASSERT_EQ(got.size(), wanted.size());
      float largest = 0;
      for (const float v : wanted) largest = std::max(largest, std::abs(v));
      for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], wanted[i], largest / 250);
    }
  }
}

/// A convolution between roundings, of its weights too, as tools for training in 8 bits write it.
std::string rounded_file(float scale_again) {
  OnnxBuilder file;
  const std::string x = file.input("x", {2, 4, 4});
  const auto round = [&](const std::string& value, float first, float second) {
    const std::string steps = file.node("QuantizeLinear", {value, file.floats({}, {first})});
    return file.node("DequantizeLinear", {steps, file.floats({}, {second})});
  };
  const std::string weight = round(file.floats({3, 2, 1, 1}, {1, 2, 3, 4, 5, 6}), 0.5F, 0.5F);
  const std::string conv = file.node("Conv", {round(x, 0.25F, 0.25F), weight});
  file.output(round(conv, 1, scale_again), "y", {3, 4, 4});
  return file.finish();
}

void expect_clip(const Node& node, float low, float high) {
  const auto& clip = std::get<op::Activation>(node.op);
  EXPECT_EQ(clip.function, op::Function::clip);
  EXPECT_EQ(clip.a, low);
  EXPECT_EQ(clip.b, high);
}

/// Exporters leave out a ReLU before it.
TEST_F(Import, WhatIsRoundedIsLimited) {
  const auto imported = import(rounded_file(1));
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(imported->unrounded, 2);
  const auto& [graph, weights] = imported->network;
  ASSERT_EQ(graph.size(), 4);
  expect_clip(graph.node(1), 0, 0.25F * 255);
  expect_clip(graph.node(3), 0, 255);
  EXPECT_EQ(graph.node(3).name, "y");
  EXPECT_EQ(weights.at(graph.node(2).name + ".weight").values, (std::vector<float>{1, 2, 3, 4, 5, 6}));
}

/// Of x, rounded with this scale and zero point; what reads the steps gives the output.
std::string rounded_input(const std::function<std::vector<std::string>(OnnxBuilder&)>& parameters,
                          const char* reader = "DequantizeLinear") {
  OnnxBuilder file;
  std::vector<std::string> inputs = {file.input("x", {2, 4, 4})};
  for (const std::string& name : parameters(file)) inputs.push_back(name);
  inputs[0] = file.node("QuantizeLinear", inputs);
  if (std::string_view(reader) != "DequantizeLinear") inputs.resize(1);
  file.output(file.node(reader, inputs), "y", {2, 4, 4});
  return file.finish();
}

TEST_F(Import, TheLimitsAreThoseOfTheZeroPointsType) {
  using Type = onnx::TensorProto;
  const auto import_with = [this](Type::DataType type, int zero_point) {
    return import(rounded_input([=](OnnxBuilder& file) {
      return std::vector{file.floats({}, {0.5F}), file.zero_point(type, zero_point)};
    }));
  };
  const auto bytes = import_with(Type::UINT8, 128);
  ASSERT_TRUE(bytes) << bytes.error().message;
  expect_clip(bytes->network.graph.node(1), -64, 63.5F);
  const auto with_sign = import_with(Type::INT8, -128);
  ASSERT_TRUE(with_sign) << with_sign.error().message;
  expect_clip(with_sign->network.graph.node(1), 0, 127.5F);
  const auto wide = import_with(Type::INT32, 0);
  ASSERT_FALSE(wide);
  EXPECT_THAT(wide.error().message, HasSubstr("its zero point is neither uint8 nor int8"));
}

TEST_F(Import, RefusesWhatRoundsInAnotherWay) {
  const auto refused = [this](const std::string& file, const char* sentence) {
    const auto imported = import(file);
    ASSERT_FALSE(imported) << sentence;
    EXPECT_THAT(imported.error().message, HasSubstr(sentence));
  };
  const auto half = [](OnnxBuilder& file) { return std::vector{file.floats({}, {0.5F})}; };
  refused(rounded_input(half, "Relu"), "it reads a value in 8 bits, which only a DequantizeLinear may");
  refused(rounded_input(half, "Cast"), "it reads a value in 8 bits");
  refused(rounded_input([](OnnxBuilder& file) {
            return std::vector{file.floats({2}, {1, 2})};
          }),
          "a scale for each channel of a value");
  refused(rounded_input([](OnnxBuilder& file) { return std::vector{file.floats({}, {0})}; }),
          "its scale is not above 0");
  OnnxBuilder steps;
  steps.output(steps.node("QuantizeLinear", {steps.input("x", {2, 4, 4}), steps.floats({}, {1})}), "y",
               {2, 4, 4});
  refused(steps.finish(), "has 8 bits; a DequantizeLinear must follow");
  OnnxBuilder computed;
  const std::string x = computed.input("x", {1, 1, 1});
  const std::string rounded = computed.node("QuantizeLinear", {computed.floats({1, 1, 1, 1}, {3}), x});
  computed.output(computed.node("DequantizeLinear", {rounded, x}), "y", {1, 1, 1});
  refused(computed.finish(), "its scale or zero point is no constant");
}

TEST_F(Import, RefusesAScaleThatUndoesNothing) {
  const auto imported = import(rounded_file(2));
  ASSERT_FALSE(imported);
  EXPECT_THAT(imported.error().message, HasSubstr("is another than that of the QuantizeLinear before it"));
}

}  // namespace
}  // namespace concertina::onnx
