#include "runtime/fusion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/net.h"

namespace concertina::runtime {
namespace {

using ::testing::ElementsAre;
using testing::kImage;
using testing::Net;

std::string affine_name(const Op& op) {
  return std::holds_alternative<op::BatchNorm>(op) ? "norm" : std::string(type_name(op));
}

std::string name_of(const kernels::PointwiseFunction& function) {
  using Kind = kernels::PointwiseFunction::Kind;
  if (function.kind == Kind::silu) return "silu";
  if (function.kind == Kind::prelu) return "prelu";
  return "function";
}

/// "start+norm+add end" of each chain.
std::vector<std::string> describe(const Graph& graph) {
  std::vector<std::string> list;
  for (const Chain& chain : find_chains(graph)) {
    std::string text = graph.node(chain.start).name;
    for (const NodeId id : chain.affine) text.append("+").append(affine_name(graph.node(id).op));
    if (chain.add != kNone) text += "+add";
    if (chain.act == kernels::FusedActivation::relu) text += "+relu";
    if (chain.act == kernels::FusedActivation::relu6) text += "+relu6";
    if (chain.function) text += "+" + name_of(chain.function);
    list.push_back(text);
  }
  return list;
}

class FusionTest : public ::testing::Test {
 protected:
  std::vector<std::string> chains() { return describe(net_.build()); }

  Net net_{Shape{4, 5, 5}};
};

TEST_F(FusionTest, AResidualBlockIsTwoConvolutions) {
  const NodeId a = net_.relu("a.relu", net_.norm("a.norm", net_.conv("a", kImage, 4)));
  const NodeId b = net_.norm("b.norm", net_.conv("b", a, 4));
  net_.relu("relu", net_.sum("sum", b, kImage));
  EXPECT_THAT(chains(), ElementsAre("image", "a+norm+relu", "b+norm+add+relu"));
}

TEST_F(FusionTest, TheLaterOfTwoConvolutionsAdds) {
  const NodeId a = net_.conv("a", kImage, 4);
  const NodeId b = net_.conv("b", kImage, 4);
  net_.sum("sum", a, b);
  EXPECT_THAT(chains(), ElementsAre("image", "a", "b+add"));
}

TEST_F(FusionTest, WhatHasTwoReadersIsKept) {
  const NodeId a = net_.conv("a", kImage, 4);
  const NodeId b = net_.apply("b", op::relu6(), a);
  const NodeId c = net_.relu("c", net_.norm("c.norm", b));
  net_.sum("sum", a, c);
  EXPECT_THAT(chains(), ElementsAre("image", "a", "b", "c.norm+relu", "sum"));
}

TEST_F(FusionTest, AValueAddedToItselfHasTwoReaders) {
  const NodeId a = net_.conv("a", kImage, 4);
  net_.relu("relu", net_.sum("sum", a, a));
  EXPECT_THAT(chains(), ElementsAre("image", "a", "sum+relu"));
}

TEST_F(FusionTest, NothingFollowsAnActivation) {
  const NodeId a = net_.relu("a.relu", net_.conv("a", kImage, 4));
  net_.relu("b", net_.norm("a.norm", a));
  EXPECT_THAT(chains(), ElementsAre("image", "a+relu", "a.norm+relu"));
}

TEST_F(FusionTest, WhatTheCallerReadsIsKept) {
  const NodeId a = net_.conv("a", kImage, 4);
  const NodeId b = net_.relu("b", a);
  const NodeId c = net_.norm("c", net_.conv("c.conv", b, 4));
  const Graph graph = net_.build({c, a});
  EXPECT_THAT(describe(graph), ElementsAre("image", "a", "b", "c.conv+norm"));
}

TEST_F(FusionTest, ConstantsOfChannelsAreTheConvolutions) {
  const NodeId a = net_.norm("a.norm", net_.scale("a.scale", net_.conv("a", kImage, 4)));
  const NodeId b = net_.shift("b", net_.apply("a.relu", op::relu6(), a));
  net_.relu("b.relu", net_.scale("b.scale", b));
  EXPECT_THAT(chains(), ElementsAre("image", "a+Scale+norm+relu6", "b+Scale+relu"));
}

TEST_F(FusionTest, OnlyValuesOfOneShapeAreResiduals) {
  const NodeId pooled = net_.conv("pooled", net_.global("pool", kImage), 4);
  const NodeId a = net_.sum("a", kImage, pooled);
  net_.relu("b.relu", net_.product("b", net_.conv("b.conv", a, 4), pooled));
  EXPECT_THAT(chains(), ElementsAre("image", "pool", "pooled", "a", "b.conv", "b+relu"));
}

TEST_F(FusionTest, ALayerAppliesEveryFunction) {
  const NodeId a = net_.conv("a", kImage, 4);
  const NodeId b = net_.apply("b", op::activation(op::Function::hard_swish), a);
  const NodeId c = net_.apply("c", op::activation(op::Function::clip, 0, 5), net_.conv("c.conv", b, 4));
  net_.prelu("d", net_.conv("d.conv", c, 4));
  EXPECT_THAT(chains(), ElementsAre("image", "a+function", "c.conv+function", "d.conv+prelu"));
}

TEST_F(FusionTest, AFunctionOfAnotherResultIsAStepOfItsOwn) {
  const NodeId a = net_.relu("a.relu", net_.conv("a", kImage, 4));
  const NodeId b = net_.apply("b", op::activation(op::Function::hard_swish), a);
  net_.apply("c", op::activation(op::Function::hard_swish), b);
  EXPECT_THAT(chains(), ElementsAre("image", "a+relu", "b", "c"));
}

TEST_F(FusionTest, AProductWithItsOwnSigmoidIsOneFunction) {
  const NodeId a = net_.conv("a", kImage, 4);
  const NodeId b = net_.product("b", a, net_.apply("b.gate", op::activation(op::Function::sigmoid), a));
  const NodeId gate = net_.apply("c.gate", op::activation(op::Function::sigmoid), b);
  net_.product("c", gate, b);
  EXPECT_THAT(chains(), ElementsAre("image", "a+silu", "c.gate+silu"));
}

TEST_F(FusionTest, AThirdReaderKeepsALayerAndItsSigmoidApart) {
  const NodeId a = net_.conv("a", kImage, 4);
  const NodeId b = net_.product("b", a, net_.apply("b.gate", op::activation(op::Function::sigmoid), a));
  net_.sum("c", a, b);
  EXPECT_THAT(chains(), ElementsAre("image", "a", "b.gate+silu", "c"));
}

TEST_F(FusionTest, WhatNobodyNeedsIsLeftOut) {
  net_.relu("unused.relu", net_.conv("unused", kImage, 4));
  net_.conv("a", kImage, 4);
  EXPECT_THAT(chains(), ElementsAre("image", "a"));
}

}  // namespace
}  // namespace concertina::runtime
