#include "onnx/folding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace concertina::onnx {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t kMost = 1000;

onnx::NodeProto node(const char* type) {
  onnx::NodeProto node;
  node.set_op_type(type);
  return node;
}

void set(onnx::NodeProto& node, const char* name, const std::vector<std::int64_t>& values) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INTS);
  for (const std::int64_t value : values) attribute.add_ints(value);
}

void set_one(onnx::NodeProto& node, const char* name, std::int64_t value) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INT);
  attribute.set_i(value);
}

Result<FoldedTensor> folded(const onnx::NodeProto& node, const std::vector<FoldedTensor>& inputs,
                            std::int64_t most = kMost) {
  std::vector<const FoldedTensor*> pointers;
  for (const FoldedTensor& input : inputs) pointers.push_back(&input);
  return fold(node, pointers, most);
}

FoldedTensor list(std::vector<double> values) {
  const int size = static_cast<int>(values.size());
  return {.shape = {size}, .values = std::move(values)};
}

const FoldedTensor kMatrix = {.shape = {2, 3}, .values = {1, 2, 3, 4, 5, 6}};

TEST(Folding, TurnsWeights) {
  onnx::NodeProto transpose = node("Transpose");
  set(transpose, "perm", {1, 0});
  const auto turned = folded(transpose, {kMatrix});
  ASSERT_TRUE(turned) << turned.error().message;
  EXPECT_THAT(turned->shape, ElementsAre(3, 2));
  EXPECT_THAT(turned->values, ElementsAre(1, 4, 2, 5, 3, 6));
  EXPECT_THAT(folded(node("Reshape"), {kMatrix, list({-1, 2})})->shape, ElementsAre(3, 2));
  onnx::NodeProto twice = node("Transpose");
  set(twice, "perm", {0, 0});
  EXPECT_THAT(folded(twice, {kMatrix}).error().message, HasSubstr("no permutation"));
}

TEST(Folding, BroadcastsAsNumpyDoes) {
  const auto sum = folded(node("Add"), {kMatrix, list({10, 20, 30})});
  EXPECT_THAT(sum->values, ElementsAre(11, 22, 33, 14, 25, 36));
  const FoldedTensor column = {.shape = {2, 1}, .values = {1, 2}};
  EXPECT_THAT(folded(node("Div"), {kMatrix, column})->values, ElementsAre(1, 2, 3, 2, 2.5, 3));
  EXPECT_THAT(folded(node("Mul"), {kMatrix, list({1, 2})}).error().message, HasSubstr("do not fit together"));
}

TEST(Folding, ComputesShapes) {
  const FoldedTensor shape = list({NAN, 64, 7, 7});  // the batch is open
  const FoldedTensor batch = *folded(node("Gather"), {shape, list({0})});
  const FoldedTensor target = *folded(node("Concat"), {batch, list({-1})});
  const auto sizes = to_integers(target);
  EXPECT_EQ(sizes[0], std::nullopt);
  EXPECT_EQ(sizes[1], -1);
  EXPECT_THAT(folded(node("Slice"), {shape, list({1}), list({9e18})})->values, ElementsAre(64, 7, 7));
  EXPECT_THAT(folded(node("Gather"), {shape, list({4})}).error().message, HasSubstr("axis 4 is none of 4"));
  onnx::NodeProto unsqueeze = node("Unsqueeze");
  set(unsqueeze, "axes", {0});
  EXPECT_THAT(folded(unsqueeze, {FoldedTensor{.shape = {}, .values = {5}}})->shape, ElementsAre(1));
}

// PyTorch writes the pads of F.pad as a list for the last axis first, and turns it around.
TEST(Folding, TurnsListsAround) {
  const FoldedTensor pairs = {.shape = {4, 2}, .values = {1, 2, 3, 4, 0, 0, 0, 0}};
  const auto turned = folded(node("Slice"), {pairs, list({-1}), list({-9e18}), list({0}), list({-1})});
  ASSERT_TRUE(turned) << turned.error().message;
  EXPECT_THAT(turned->values, ElementsAre(0, 0, 0, 0, 3, 4, 1, 2));
  EXPECT_THAT(
      folded(node("Slice"), {kMatrix, list({1, 0}), list({9, 3}), list({0, 1}), list({1, 2})})->values,
      ElementsAre(4, 6));
  EXPECT_THAT(folded(node("Slice"), {kMatrix, list({0}), list({1}), list({0}), list({0})}).error().message,
              HasSubstr("step of 0"));
}

TEST(Folding, JoinsAndRepeatsAlongAnyAxis) {
  onnx::NodeProto beside = node("Concat");
  set_one(beside, "axis", 1);
  const FoldedTensor column = {.shape = {2, 1}, .values = {7, 8}};
  EXPECT_THAT(folded(beside, {kMatrix, column})->values, ElementsAre(1, 2, 3, 7, 4, 5, 6, 8));
  EXPECT_THAT(folded(beside, {kMatrix, list({1})}).error().message, HasSubstr("do not fit together"));
  onnx::NodeProto columns = node("Gather");
  set_one(columns, "axis", 1);
  EXPECT_THAT(folded(columns, {kMatrix, list({2, 0})})->values, ElementsAre(3, 1, 6, 4));
  EXPECT_THAT(folded(node("Tile"), {column, list({1, 2})})->values, ElementsAre(7, 7, 8, 8));
  EXPECT_THAT(folded(node("Expand"), {column, list({2, 2})})->values, ElementsAre(7, 7, 8, 8));
  EXPECT_THAT(folded(node("Tile"), {column, list({1, 1e6})}).error().message, HasSubstr("more values"));
  EXPECT_THAT(folded(node("Flatten"), {FoldedTensor{.shape = {1, 2, 3}, .values = kMatrix.values}})->shape,
              ElementsAre(1, 6));
}

// Weights that a layer computes from others, as weight norm, spectral norm and weight standardisation do.
TEST(Folding, ComputesWeights) {
  onnx::NodeProto means = node("ReduceMean");
  set(means, "axes", {1});
  const auto mean = folded(means, {kMatrix});
  EXPECT_THAT(mean->shape, ElementsAre(2, 1));
  EXPECT_THAT(mean->values, ElementsAre(2, 5));
  onnx::NodeProto sums = node("ReduceSum");
  set_one(sums, "keepdims", 0);
  const auto sum = folded(sums, {kMatrix, list({0})});
  EXPECT_THAT(sum->shape, ElementsAre(3));
  EXPECT_THAT(sum->values, ElementsAre(5, 7, 9));
  EXPECT_THAT(folded(node("ReduceL2"), {list({3, 4})})->values, ElementsAre(5));
  EXPECT_THAT(folded(node("ReduceMax"), {kMatrix})->values, ElementsAre(6));
  EXPECT_THAT(folded(node("MatMul"), {kMatrix, list({1, 0, 2})})->values, ElementsAre(7, 16));
  EXPECT_THAT(folded(node("MatMul"), {kMatrix, kMatrix}).error().message, HasSubstr("do not fit together"));
  EXPECT_THAT(folded(node("Relu"), {list({-1, 2})})->values, ElementsAre(0, 2));
  EXPECT_THAT(folded(node("Pow"), {list({3, 2}), list({2})})->values, ElementsAre(9, 4));
  EXPECT_THAT(folded(node("Mod"), {list({-3, 5}), list({2})})->values, ElementsAre(1, 1));
  EXPECT_THAT(folded(node("Range"), {list({1}), list({6}), list({2})})->values, ElementsAre(1, 3, 5));
  EXPECT_THAT(folded(node("Range"), {list({0}), list({1}), list({0})}).error().message,
              HasSubstr("more values"));
}

// An Expand to a shape in which -1 stands for what there is.
TEST(Folding, NoBatchIsNegative) {
  const FoldedTensor wanted = list({NAN, -1, 7});
  const auto open = folded(node("Equal"), {wanted, list({-1})});
  ASSERT_TRUE(open) << open.error().message;
  EXPECT_THAT(open->values, ElementsAre(0, 1, 0));
  const auto shape = to_integers(*folded(node("Where"), {*open, list({1}), wanted}));
  EXPECT_THAT(shape, ElementsAre(std::nullopt, 1, 7));
  const std::string unknown = "computes with the size of the batch";
  EXPECT_THAT(folded(node("Equal"), {wanted, list({2})}).error().message, HasSubstr(unknown));
  EXPECT_THAT(folded(node("Neg"), {wanted}).error().message, HasSubstr(unknown));
  EXPECT_THAT(folded(node("Expand"), {list({1}), wanted}).error().message, HasSubstr("for each image"));
}

TEST(Folding, DoesNotMakeMuchOutOfLittle) {
  EXPECT_EQ(folded(node("ConstantOfShape"), {list({10, 10})})->values.size(), 100u);
  EXPECT_THAT(folded(node("ConstantOfShape"), {list({100, 100})}).error().message, HasSubstr("more values"));
  EXPECT_THAT(
      folded(node("Add"), {kMatrix, {.shape = {4, 1, 1}, .values = {1, 2, 3, 4}}}, 20).error().message,
      HasSubstr("more values"));
  const FoldedTensor none = {.shape = {1 << 24, 1 << 24, 0}, .values = {}};
  EXPECT_THAT(folded(node("Slice"), {none, list({0}), list({1})}).error().message, HasSubstr("no values"));
  EXPECT_THAT(folded(node("Expand"), {list({}), list({1 << 24, 1 << 24, 1})}).error().message,
              HasSubstr("no values"));
  EXPECT_THAT(folded(node("MatMul"), {list({}), list({})}).error().message, HasSubstr("no values"));
  EXPECT_THAT(folded(node("Tile"), {list({}), list({1 << 24})}).error().message, HasSubstr("no values"));
  EXPECT_THAT(folded(node("Sin"), {kMatrix}).error().message, HasSubstr("not computed beforehand"));
}

TEST(Folding, ReadsEveryNumberType) {
  onnx::TensorProto tensor;
  tensor.add_dims(2);
  tensor.set_data_type(onnx::TensorProto::DOUBLE);
  tensor.add_double_data(0.5);
  tensor.add_double_data(-1e300);
  EXPECT_THAT(read_folded({&tensor, {}})->values, ElementsAre(0.5, -1e300));
  const std::string raw = {2, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1};
  tensor.set_data_type(onnx::TensorProto::INT64);
  EXPECT_THAT(read_folded({&tensor, raw})->values, ElementsAre(2, -1));
  tensor.set_data_type(14);  // complex numbers
  EXPECT_THAT(read_folded({&tensor, raw}).error().message, HasSubstr("number 14, which is not read"));
  tensor.set_data_type(onnx::TensorProto::INT32);
  EXPECT_THAT(read_folded({&tensor, raw}).error().message, HasSubstr("do not fill its shape"));
}

}  // namespace
}  // namespace concertina::onnx
