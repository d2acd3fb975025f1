#include "runtime/storage.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "graph/networks/networks.h"
#include "runtime/lowering.h"
#include "runtime/plan.h"
#include "testing/models.h"
#include "testing/net.h"

namespace concertina::runtime {
namespace {

using testing::kImage;
using testing::Net;

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
    Net net({3, 8, 8});
    const NodeId y = net.conv("y", kImage, 3);
    net.sum("sum", y, activated ? net.relu("act", kImage) : net.conv("z", kImage, 3));
    const Graph graph = net.build();
    const Program program = *lower(graph);
    return program.value(program.operations[0].output).dense;
  };
  EXPECT_TRUE(is_dense(false));
  EXPECT_FALSE(is_dense(true));
}

TEST(Storage, ConcatenationsAreMadeInPlace) {
  Net net({4, 3, 3});
  NodeId all = net.conv("first", kImage, 4);
  for (int i = 1; i < 4; ++i) {  // as in a DenseNet
    const std::string number = std::to_string(i);
    all = net.concat("all" + number, {all, net.conv("grow" + number, all, 4)});
  }
  net.global("pool", all);
  const Plan plan = full_plan(net.build());
  EXPECT_EQ(count_convs(plan, ConvKernel::direct), 4);
  EXPECT_EQ(count_steps<CopyStep>(plan), 0);
}

TEST(Storage, SlicesStayWhereTheyAre) {
  Net net({4, 3, 3});
  const NodeId all = net.conv("all", kImage, 9);
  const NodeId middle = net.slice("middle", net.slice("right", all, 2, 9), 1, 4);
  const NodeId left = net.apply("left", op::activation(op::Function::sigmoid), net.slice("first", all, 0, 3));
  net.product("product", middle, left);
  const Plan plan = full_plan(net.build());
  EXPECT_EQ(count_steps<CopyStep>(plan) + count_steps<GatherStep>(plan), 0);
}

TEST(Storage, AShuffleUnitCopiesWhatPasses) {
  const Plan plan = full_plan(testing::shufflenet());
  EXPECT_EQ(count_steps<CopyStep>(plan), 2);
  EXPECT_EQ(count_steps<GatherStep>(plan), 2);
}

/// Where the result of the last step of x -> ... lies, and x.
std::pair<ValueId, ValueId> roots_of_sum(int begin_a, int begin_b) {
  Net net({3, 3, 3});
  const NodeId all = net.conv("all", kImage, 12);
  const NodeId a = net.slice("a", all, begin_a, begin_a + 4);
  net.product("product", a, net.slice("b", all, begin_b, begin_b + 4));
  const Graph graph = net.build();
  const Program program = *lower(graph);
  const Storage storage = place_values(program, graph);
  return {storage.placement(program.outputs[0]).root, storage.placement(program.operations[1].output).root};
}

TEST(Storage, ASumOfSlicesOfOneValueIsMadeElsewhere) {
  const auto [sum, all] = roots_of_sum(2, 6);
  EXPECT_NE(sum, all);
}

TEST(Storage, WhatTheCallerReadsIsNotWrittenOver) {
  Net net({3, 3, 3});
  const NodeId a = net.conv("a", kImage, 3);
  const NodeId b = net.relu("b", a);
  const Graph graph = net.build({b, a});
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
