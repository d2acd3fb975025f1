#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "onnx/fold_batch_norm.h"
#include "onnx/int8_export.h"
#include "onnx/testing.h"
#include "testing/models.h"
#include "testing/onnx_builder.h"

// Files in 8 bits (QDQ) are read as the networks of floats that they were.
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
    ASSERT_EQ(read->graph.size(), folded.graph.size());
    for (NodeId id = 0; id < folded.graph.size(); ++id) {
      const Node &node = read->graph.node(id), &old = folded.graph.node(id);
      ASSERT_EQ(node.name, old.name);
      if (!std::holds_alternative<op::Conv>(node.op)) continue;
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

TEST_F(Import, LeavesOutWhatOnlyRounds) {
  const auto imported = import(rounded_file(1));
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(imported->unrounded, 2);
  const auto& [graph, weights] = imported->network;
  ASSERT_EQ(graph.size(), 2);
  EXPECT_EQ(graph.node(1).name, "y");
  EXPECT_EQ(weights.at("y.weight").values, (std::vector<float>{1, 2, 3, 4, 5, 6}));
}

TEST_F(Import, RefusesAScaleThatUndoesNothing) {
  const auto imported = import(rounded_file(2));
  ASSERT_FALSE(imported);
  EXPECT_THAT(imported.error().message, HasSubstr("is another than that of the QuantizeLinear before it"));
}

}  // namespace
}  // namespace concertina::onnx
