#include "runtime/storage.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "runtime/lowering.h"
#include "runtime/plan.h"
#include "testing/models.h"

namespace concertina::runtime {
namespace {

template <typename Wanted>
int count_steps(const Plan& plan) {
  int count = 0;
  for (const Step& step : plan.steps) count += std::holds_alternative<Wanted>(step) ? 1 : 0;
  return count;
}

int count_convs(const Plan& plan, ConvKernel kernel) {
  int count = 0;
  for (const Step& step : plan.steps) {
    const auto* conv = std::get_if<ConvStep>(&step);
    count += conv != nullptr && conv->kernel == kernel ? 1 : 0;
  }
  return count;
}

Plan full_plan(const Graph& graph) {
  const auto model = testing::load(testing::model_file(graph, {full_subnet(graph)}));
  Plan copy;
  copy.steps = model->impl().plans[0].steps;
  copy.arena_floats = model->impl().plans[0].arena_floats;
  return copy;
}

TEST(Storage, AResnetIsConvolutionsAlone) {
  const Graph graph = *make_network({.name = "resnet20", .input = {3, 32, 32}});
  const Plan plan = full_plan(graph);
  // 19, two projections, the linear layer; ten of them have 32 channels or more and no stride.
  EXPECT_EQ(count_convs(plan, ConvKernel::direct), 12);
  EXPECT_EQ(count_convs(plan, ConvKernel::winograd), 10);
  EXPECT_EQ(plan.steps.size(), 24U);  // and pool, store
}

TEST(Storage, AResnetNeedsTwoMapsAtATime) {
  const Graph graph = *make_network({.name = "resnet20", .input = {3, 32, 32}});
  const auto map = static_cast<std::ptrdiff_t>(32 * 32 * 16);
  EXPECT_EQ(full_plan(graph).arena_floats, 2 * map);
}

TEST(Storage, AnImageIsDenseIfOnlyConvolutionsReadIt) {
  const auto is_dense = [](bool activated) {
    op::Input input;
    input.shape = {3, 8, 8};
    op::Conv conv;
    conv.in_channels = 3;
    conv.out_channels = 3;
    GraphBuilder net;
    const NodeId x = net.add("x", input);
    const NodeId y = net.add("y", conv, {x});
    net.add("sum", op::Add{}, {y, activated ? net.add("act", op::relu(), {x}) : net.add("z", conv, {x})});
    const Graph graph = *std::move(net).build();
    const Program program = *lower(graph);
    return program.value(program.operations[0].output).dense;
  };
  EXPECT_TRUE(is_dense(false));
  EXPECT_FALSE(is_dense(true));
}

TEST(Storage, ConcatenationsAreMadeInPlace) {
  op::Input input;
  input.shape = {4, 3, 3};
  op::Conv conv;
  conv.in_channels = 4;
  conv.out_channels = 4;
  GraphBuilder net;
  const NodeId x = net.add("x", input);
  NodeId all = net.add("first", conv, {x});
  for (int i = 1; i < 4; ++i) {  // as in a DenseNet
    conv.in_channels = 4 * i;
    const std::string name = "grow" + std::to_string(i);
    all = net.add("all" + std::to_string(i), op::Concat{}, {all, net.add(name, conv, {all})});
  }
  net.add("pool", op::GlobalAveragePool{}, {all});
  const Plan plan = full_plan(*std::move(net).build());
  EXPECT_EQ(count_convs(plan, ConvKernel::direct), 4);
  EXPECT_EQ(count_steps<CopyStep>(plan), 0);
}

op::Slice slice(int begin, int end) {
  op::Slice op;
  op.begin = begin;
  op.end = end;
  return op;
}

TEST(Storage, SlicesStayWhereTheyAre) {
  op::Input input;
  input.shape = {4, 3, 3};
  op::Conv conv;
  conv.in_channels = 4;
  conv.out_channels = 9;
  GraphBuilder net;
  const NodeId all = net.add("all", conv, {net.add("x", input)});
  const NodeId right = net.add("right", slice(2, 9), {all});
  const NodeId middle = net.add("middle", slice(1, 4), {right});
  const NodeId left =
      net.add("left", op::activation(op::Function::sigmoid), {net.add("first", slice(0, 3), {all})});
  net.add("product", op::Mul{}, {middle, left});
  const Plan plan = full_plan(*std::move(net).build());
  EXPECT_EQ(count_steps<CopyStep>(plan) + count_steps<GatherStep>(plan), 0);
}

TEST(Storage, AShuffleUnitCopiesWhatPasses) {
  const Plan plan = full_plan(testing::shufflenet());
  EXPECT_EQ(count_steps<CopyStep>(plan), 2);
  EXPECT_EQ(count_steps<GatherStep>(plan), 2);
}

/// Where the result of the last step of x -> ... lies, and x.
std::pair<ValueId, ValueId> roots_of_sum(int begin_a, int begin_b) {
  op::Input input;
  input.shape = {3, 3, 3};
  op::Conv conv;
  conv.in_channels = 3;
  conv.out_channels = 12;
  GraphBuilder net;
  const NodeId all = net.add("all", conv, {net.add("x", input)});
  const NodeId a = net.add("a", slice(begin_a, begin_a + 4), {all});
  const NodeId b = net.add("b", slice(begin_b, begin_b + 4), {all});
  net.add("sum", op::Mul{}, {a, b});
  const Graph graph = *std::move(net).build();
  const Program program = *lower(graph);
  const Storage storage = place_values(program, graph);
  return {storage.placement(program.outputs[0]).root, storage.placement(program.operations[1].output).root};
}

TEST(Storage, ASumOfSlicesOfOneValueIsMadeElsewhere) {
  const auto [sum, all] = roots_of_sum(2, 6);
  EXPECT_NE(sum, all);
}

TEST(Storage, WhatTheCallerReadsIsNotWrittenOver) {
  op::Input input;
  input.shape = {3, 3, 3};
  GraphBuilder net;
  op::Conv conv;
  conv.in_channels = conv.out_channels = 3;
  const NodeId a = net.add("a", conv, {net.add("x", input)});
  const NodeId b = net.add("b", op::relu(), {a});
  const Graph graph = *std::move(net).build({b, a});
  const Program program = *lower(graph);
  const Storage storage = place_values(program, graph);
  EXPECT_NE(storage.placement(program.outputs[0]).root, storage.placement(program.outputs[1]).root);
}

TEST(Storage, AConvolutionNeverWritesOverItsOwnInput) {
  const Graph graph = testing::branches();  // "own" adds its input
  const Program program = *lower(graph);
  const Storage storage = place_values(program, graph);
  int checked = 0;
  for (const Operation& operation : program.operations) {
    if (operation.node == kNone || !std::holds_alternative<op::Conv>(graph.node(operation.node).op)) continue;
    const Placement& out = storage.placement(operation.output);
    const Placement& in = storage.placement(operation.inputs[0]);
    EXPECT_TRUE(out.root != in.root || out.before != in.before) << graph.node(operation.node).name;
    ++checked;
  }
  EXPECT_EQ(checked, 8);
}

TEST(Arena, BlocksThatLiveTogetherDoNotOverlap) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const CounterRandom random(seed);
    std::vector<Block> blocks;
    std::ptrdiff_t sum = 0;
    for (std::uint64_t i = 0; i < 40; ++i) {
      const auto begin = static_cast<int>(random.below(30, 3 * i));
      const auto end = begin + static_cast<int>(random.below(8, 3 * i + 1));
      blocks.push_back({static_cast<std::ptrdiff_t>(1 + random.below(100, 3 * i + 2)), {begin, end}});
      sum += blocks.back().size;
    }
    const ArenaPlan plan = plan_arena(blocks);
    EXPECT_LT(plan.total, sum);
    for (std::size_t a = 0; a < blocks.size(); ++a) {
      EXPECT_LE(plan.offsets[a] + blocks[a].size, plan.total);
      for (std::size_t b = 0; b < a; ++b) {
        const bool together = blocks[a].lifetime.begin <= blocks[b].lifetime.end &&
                              blocks[b].lifetime.begin <= blocks[a].lifetime.end;
        const bool apart = plan.offsets[a] + blocks[a].size <= plan.offsets[b] ||
                           plan.offsets[b] + blocks[b].size <= plan.offsets[a];
        EXPECT_TRUE(!together || apart) << seed;
      }
    }
  }
}

}  // namespace
}  // namespace concertina::runtime
