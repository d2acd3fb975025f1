#include "onnx/int8_export.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "onnx/fold_batch_norm.h"
#include "onnx/tensor.h"
#include "testing/models.h"
#include "testing/net.h"

namespace concertina::onnx {
namespace {

using testing::kImage;
using testing::Net;

/// An exported file by its values' makers and its arrays.
struct Exported {
  onnx::ModelProto model;
  std::map<std::string, onnx::NodeProto> nodes;
  std::map<std::string, onnx::TensorProto> arrays;

  explicit Exported(const std::string& bytes) {
    EXPECT_TRUE(model.ParseFromString(bytes));
    for (const auto& node : model.graph().node()) nodes[node.output(0)] = node;
    for (const auto& array : model.graph().initializer()) arrays[array.name()] = array;
  }
  bool pairs(const std::string& value) const { return nodes.contains(value + ".dequantized"); }
  std::vector<float> floats(const std::string& array) const {
    return read_tensor({&arrays.at(array), arrays.at(array).raw_data()})->values;
  }
};

/// Any scale for every node: as if each made values from -1 to 1, activations from 0 to 2.
ModelFile with_scales(const Graph& graph, int subnets = 2) {
  ModelFile model = testing::random_model(graph, subnets);
  for (SubnetRecord& record : model.subnets) {
    for (const Node& node : graph.nodes()) {
      const bool relu = std::holds_alternative<op::Activation>(node.op);
      record.quantization[node.name] = {2.0F / 255, relu ? 0 : 128};
    }
  }
  return model;
}

Exported exported(const ModelFile& model, std::size_t subnet = 0) {
  const auto bytes = export_int8(model, model.subnets[subnet].subnet);
  EXPECT_TRUE(bytes) << bytes.error().message;
  return Exported(*bytes);
}

/// conv, norm, relu, conv, global pool, flatten, linear
Graph plain_net() {
  Net net({3, 6, 6});
  const NodeId a = net.relu("a.relu", net.norm("a.norm", net.conv("a", kImage, 4)));
  const NodeId b = net.norm("b.norm", net.conv("b", a, 5));
  net.linear("fc", net.flatten("flat", net.add("pool", op::GlobalAveragePool{}, {b})), 3);
  return net.build();
}

TEST(Int8Export, PutsPairsWhereARuntimeCanFuse) {
  const Exported file = exported(with_scales(plain_net()));
  EXPECT_TRUE(file.pairs("image"));
  EXPECT_FALSE(file.pairs("a"));  // its norm is folded, and only the ReLU reads it
  EXPECT_TRUE(file.pairs("a.relu"));
  EXPECT_TRUE(file.pairs("b"));
  EXPECT_TRUE(file.pairs("flat"));
  EXPECT_FALSE(file.pairs("fc"));  // the output stays in floats
  EXPECT_EQ(file.model.graph().output(0).name(), "fc");
  EXPECT_EQ(file.nodes.at("a").input(0), "image.dequantized");
  EXPECT_EQ(file.nodes.at("a.relu").input(0), "a");
  EXPECT_EQ(file.nodes.at("fc").input(1), "fc.weight.dequantized");
  for (const auto& [value, node] : file.nodes) EXPECT_NE(node.op_type(), "BatchNormalization");
}

TEST(Int8Export, AFoldedConvolutionHasTheScaleOfItsNorm) {
  ModelFile model = with_scales(plain_net());
  model.subnets[0].quantization["b"] = {7, 1};
  model.subnets[0].quantization["b.norm"] = {0.5F, 3};
  const Exported file = exported(model);
  EXPECT_EQ(file.floats("b.quantized.scale"), std::vector<float>{0.5F});
  EXPECT_EQ(file.arrays.at("b.quantized.zero_point").raw_data(), "\3");
}

TEST(Int8Export, WhatMovesValuesKeepsTheirScale) {
  ModelFile model = with_scales(plain_net());
  model.subnets[0].quantization["pool"] = {0.25F, 9};
  model.subnets[0].quantization.erase("flat");
  EXPECT_EQ(exported(model).floats("flat.quantized.scale"), std::vector<float>{0.25F});
}

TEST(Int8Export, ArraysAreOfTheFoldedOnes) {
  const ModelFile model = with_scales(plain_net());
  for (std::size_t i = 0; i < 2; ++i) {
    const SubnetRecord& record = model.subnets[i];
    const Network folded = fold_batch_norm(extract(model.network, record.subnet, record.own));
    const Exported file = exported(model, i);
    for (const std::string name : {"a", "b", "fc"}) {
      const auto& weight = folded.weights.at(name + ".weight").values;
      const auto& bias = folded.weights.at(name + ".bias").values;
      const auto scales = file.floats(name + ".weight.quantized.scale");
      const std::string& steps = file.arrays.at(name + ".weight.quantized").raw_data();
      const auto bias_scales = file.floats(name + ".bias.quantized.scale");
      ASSERT_EQ(scales.size(), bias.size());
      ASSERT_EQ(steps.size(), weight.size());
      for (std::size_t w = 0; w < weight.size(); ++w) {
        const float scale = scales[w / (weight.size() / bias.size())];
        EXPECT_NEAR(static_cast<signed char>(steps[w]) * scale, weight[w], 0.501F * scale);
      }
      for (std::size_t k = 0; k < bias.size(); ++k) {
        EXPECT_FLOAT_EQ(bias_scales[k], scales[k] * 2 / 255);
        EXPECT_NEAR(
            static_cast<float>(file.arrays.at(name + ".bias.quantized").int32_data(static_cast<int>(k))) *
                bias_scales[k],
            bias[k], 0.501F * bias_scales[k] + 1e-6F * std::abs(bias[k]));
      }
      EXPECT_FALSE(file.arrays.contains(name + ".weight"));
    }
  }
}

TEST(Int8Export, SubnetsHaveTheIntegersOfTheFullNetwork) {
  const Graph graph = plain_net();
  ModelFile model = with_scales(graph, 1);
  model.subnets.push_back(model.subnets[0]);
  Subnet& small = model.subnets[1].subnet;
  for (int& width : small.widths) --width;
  model.subnets[1].own = active_arrays(graph, model.subnets[0].own, small);
  const std::string full = exported(model, 0).arrays.at("b.weight.quantized").raw_data();
  const std::string part = exported(model, 1).arrays.at("b.weight.quantized").raw_data();
  ASSERT_EQ(full.size(), 5u * 4);
  ASSERT_EQ(part.size(), 4u * 3);
  for (std::size_t k = 0; k < 4; ++k) EXPECT_EQ(part.substr(k * 3, 3), full.substr(k * 4, 3)) << k;
}

TEST(Int8Export, ARowOfZerosKeepsItsBias) {
  ModelFile model = with_scales(plain_net(), 1);
  auto& weight = model.network.weights.at("fc.weight").values;
  std::fill(weight.begin(), weight.end(), 0.0F);
  model.network.weights.at("fc.bias").values = {1e-3F, 0, -12};
  const Exported file = exported(model);
  const auto scales = file.floats("fc.bias.quantized.scale");
  EXPECT_FLOAT_EQ(static_cast<float>(file.arrays.at("fc.bias.quantized").int32_data(0)) * scales[0], 1e-3F);
  EXPECT_EQ(file.floats("fc.weight.quantized.scale")[1], 1);
  EXPECT_FLOAT_EQ(static_cast<float>(file.arrays.at("fc.bias.quantized").int32_data(2)) * scales[2], -12);
}

TEST(Int8Export, LimitsStayWhereTheScaleIsWider) {
  const auto pairs = [](Quantization scale, const op::Activation& limits) {
    Net net({3, 6, 6});
    net.conv("b", net.apply("act", limits, net.conv("a", kImage, 4)), 2);
    ModelFile model = with_scales(net.build(), 1);
    model.subnets[0].quantization["act"] = scale;
    const Exported file = exported(model);
    EXPECT_TRUE(file.pairs("act"));
    return file.pairs("a");
  };
  EXPECT_FALSE(pairs({0.5F, 0}, op::relu()));
  EXPECT_TRUE(pairs({0.5F, 1}, op::relu()));
  EXPECT_FALSE(pairs({6.0F / 255, 0}, op::relu6()));
  EXPECT_FALSE(pairs({std::nextafter(6.0F / 255, 1.0F), 0}, op::relu6()));
  EXPECT_TRUE(pairs({6.1F / 255, 0}, op::relu6()));
  EXPECT_TRUE(pairs({2.0F / 255, 128}, op::activation(op::Function::clip, -1, 1)));
}

TEST(Int8Export, WhatHasNoScaleStaysInFloats) {
  ModelFile model = with_scales(plain_net());
  model.subnets[0].quantization.erase("a.relu");
  const Exported file = exported(model);
  EXPECT_FALSE(file.pairs("a.relu"));
  EXPECT_TRUE(file.pairs("a"));  // so that the convolution has integers on both sides
  EXPECT_EQ(file.nodes.at("b").input(1), "b.weight");
  EXPECT_TRUE(file.arrays.contains("b.weight"));
}

TEST(Int8Export, RefusesASubnetWithoutScales) {
  ModelFile model = with_scales(plain_net());
  model.subnets[1].quantization.clear();
  const auto refused = export_int8(model, model.subnets[1].subnet);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "sub-net " + to_string(model.subnets[1].subnet) +
                " has no scales for int8; run `concertina-train quantize` on the model first");
}

TEST(Int8Export, WritesEveryStructure) {
  for (const testing::NamedGraph& net : testing::test_graphs()) {
    SCOPED_TRACE(net.name);
    const ModelFile model = with_scales(net.graph());
    for (std::size_t i = 0; i < model.subnets.size(); ++i) {
      const Exported file = exported(model, i);
      EXPECT_GE(file.model.opset_import(0).version(), 14);
      std::set<std::string> known;
      for (const auto& [name, array] : file.arrays) known.insert(name);
      for (const auto& input : file.model.graph().input()) known.insert(input.name());
      for (const auto& node : file.model.graph().node()) {
        for (const auto& input : node.input()) EXPECT_TRUE(input.empty() || known.contains(input)) << input;
        known.insert(node.output(0));
      }
    }
  }
}

}  // namespace
}  // namespace concertina::onnx
