#include "runtime/fusion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/models.h"

namespace concertina::runtime {
namespace {

using ::testing::ElementsAre;

std::string affine_name(const Op& op) {
  return std::holds_alternative<op::BatchNorm>(op) ? "norm" : std::string(type_name(op));
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
    list.push_back(text);
  }
  return list;
}

op::Conv conv(int channels) {
  op::Conv op;
  op.in_channels = channels;
  op.out_channels = channels;
  return op;
}

op::BatchNorm norm(int channels) {
  op::BatchNorm op;
  op.channels = channels;
  return op;
}

class FusionTest : public ::testing::Test {
 protected:
  FusionTest() {
    op::Input input;
    input.shape = {4, 5, 5};
    x_ = net_.add("x", input);
  }
  std::vector<std::string> chains() { return describe(*std::move(net_).build()); }

  GraphBuilder net_;
  NodeId x_;
};

TEST_F(FusionTest, AResidualBlockIsTwoConvolutions) {
  const NodeId a =
      net_.add("a.relu", op::relu(), {net_.add("a.norm", norm(4), {net_.add("a", conv(4), {x_})})});
  const NodeId b = net_.add("b.norm", norm(4), {net_.add("b", conv(4), {a})});
  net_.add("relu", op::relu(), {net_.add("sum", op::Add{}, {b, x_})});
  EXPECT_THAT(chains(), ElementsAre("x", "a+norm+relu", "b+norm+add+relu"));
}

TEST_F(FusionTest, TheLaterOfTwoConvolutionsAdds) {
  const NodeId a = net_.add("a", conv(4), {x_});
  const NodeId b = net_.add("b", conv(4), {x_});
  net_.add("sum", op::Add{}, {a, b});
  EXPECT_THAT(chains(), ElementsAre("x", "a", "b+add"));
}

TEST_F(FusionTest, WhatHasTwoReadersIsKept) {
  const NodeId a = net_.add("a", conv(4), {x_});
  const NodeId b = net_.add("b", op::relu6(), {a});
  const NodeId c = net_.add("c", op::relu(), {net_.add("c.norm", norm(4), {b})});
  net_.add("sum", op::Add{}, {a, c});
  EXPECT_THAT(chains(), ElementsAre("x", "a", "b", "c.norm+relu", "sum"));
}

TEST_F(FusionTest, AValueAddedToItselfHasTwoReaders) {
  const NodeId a = net_.add("a", conv(4), {x_});
  net_.add("relu", op::relu(), {net_.add("sum", op::Add{}, {a, a})});
  EXPECT_THAT(chains(), ElementsAre("x", "a", "sum+relu"));
}

TEST_F(FusionTest, NothingFollowsAnActivation) {
  const NodeId a = net_.add("a.relu", op::relu(), {net_.add("a", conv(4), {x_})});
  net_.add("b", op::relu(), {net_.add("a.norm", norm(4), {a})});
  EXPECT_THAT(chains(), ElementsAre("x", "a+relu", "a.norm+relu"));
}

TEST_F(FusionTest, WhatTheCallerReadsIsKept) {
  const NodeId a = net_.add("a", conv(4), {x_});
  const NodeId b = net_.add("b", op::relu(), {a});
  const NodeId c = net_.add("c", norm(4), {net_.add("c.conv", conv(4), {b})});
  const Graph graph = *std::move(net_).build({c, a});
  EXPECT_THAT(describe(graph), ElementsAre("x", "a", "b", "c.conv+norm"));
}

TEST_F(FusionTest, ConstantsOfChannelsAreTheConvolutions) {
  op::Scale scale;
  op::Shift shift;
  scale.channels = shift.channels = 4;
  const NodeId a = net_.add("a.norm", norm(4), {net_.add("a.scale", scale, {net_.add("a", conv(4), {x_})})});
  const NodeId b = net_.add("b", shift, {net_.add("a.relu", op::relu6(), {a})});
  net_.add("b.relu", op::relu(), {net_.add("b.scale", scale, {b})});
  EXPECT_THAT(chains(), ElementsAre("x", "a+Scale+norm+relu6", "b+Scale+relu"));
}

TEST_F(FusionTest, OnlyValuesOfOneShapeAreResiduals) {
  const NodeId pooled = net_.add("pooled", conv(4), {net_.add("pool", op::GlobalAveragePool{}, {x_})});
  const NodeId a = net_.add("a", op::Add{}, {x_, pooled});
  net_.add("b.relu", op::relu(), {net_.add("b", op::Mul{}, {net_.add("b.conv", conv(4), {a}), pooled})});
  EXPECT_THAT(chains(), ElementsAre("x", "pool", "pooled", "a", "b.conv", "b+relu"));
}

TEST_F(FusionTest, OtherFunctionsAreStepsOfTheirOwn) {
  const NodeId a = net_.add("a", conv(4), {x_});
  const NodeId b = net_.add("b", op::activation(op::Function::hard_swish), {a});
  net_.add("c", op::activation(op::Function::clip, 0, 5), {net_.add("c.conv", conv(4), {b})});
  EXPECT_THAT(chains(), ElementsAre("x", "a", "b", "c.conv", "c"));
}

TEST_F(FusionTest, WhatNobodyNeedsIsLeftOut) {
  net_.add("unused.relu", op::relu(), {net_.add("unused", conv(4), {x_})});
  net_.add("a", conv(4), {x_});
  EXPECT_THAT(chains(), ElementsAre("x", "a"));
}

}  // namespace
}  // namespace concertina::runtime
