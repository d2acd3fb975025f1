#include "runtime/plan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "graph/networks/networks.h"
#include "kernels/layout.h"
#include "testing/models.h"

namespace concertina::runtime {
namespace {

NodeId node_named(const Graph& graph, const std::string& name) {
  NodeId id = 0;
  while (graph.node(id).name != name) ++id;
  return id;
}

const ConvStep& conv_named(const Plan& plan, const std::string& name) {
  const auto label = std::find_if(plan.labels.begin(), plan.labels.end(),
                                  [&](const StepLabel& one) { return one.name == name; });
  return std::get<ConvStep>(plan.steps[label->step]);
}

/// docs/runtime.md works this layer through, with vectors of 16 floats.
TEST(Plan, HasTheNumbersOfTheWorkedLayer) {
  const Graph graph = *make_network({.name = "resnet8", .input = {1, 28, 28}});
  const NodeId node = node_named(graph, "stage3.block1.conv1");
  const auto dimension_of = [&](NodeId id) { return graph.axis(id)[0].dimension; };
  Subnet small = full_subnet(graph);
  small.widths[dimension_of(graph.node(node).inputs[0])] = 24;
  small.widths[dimension_of(node)] = 40;
  const auto model = testing::load(testing::model_file(graph, {full_subnet(graph), small}));
  const ConvStep& full = conv_named(model->impl().plans[0], "stage3.block1.conv1");
  const Plan& plan = model->impl().plans[1];
  const ConvStep& conv = conv_named(plan, "stage3.block1.conv1");

  const int lanes = kernels::vector_lanes(), panel = 2 * lanes;
  EXPECT_EQ(conv.kernel, ConvKernel::direct);
  EXPECT_EQ(conv.args.packed, full.args.packed) << "the weights exist once";
  EXPECT_EQ(kernels::packed_size_conv(conv.args.filter),
            static_cast<std::size_t>(kernels::round_up(64, panel) * 9 * 32));
  ASSERT_EQ(conv.ranges.size(), 1U);
  EXPECT_EQ(conv.ranges[0].count, 24);
  EXPECT_EQ(conv.args.out_channels, 40);
  EXPECT_EQ(conv.input.stride, kernels::round_up(24, lanes));
  EXPECT_EQ(conv.output.stride, kernels::round_up(40, lanes));
  EXPECT_EQ(conv.args.window.out_h, 7);
  EXPECT_EQ(conv.macs(), 7 * 7 * 40 * 24 * 9);
  EXPECT_EQ(full.macs(), 7 * 7 * 64 * 32 * 9);
  EXPECT_EQ(conv.args.epilogue.act, kernels::FusedActivation::relu);
  EXPECT_FALSE(conv.residual);
  EXPECT_EQ(conv.args.epilogue.shift - conv.args.epilogue.scale,
            kernels::round_up(kernels::round_up(40, lanes) + 2 * lanes, 16));
  EXPECT_EQ(plan.arena_floats, 2 * 28 * 28 * kernels::round_up(16, lanes));
  EXPECT_EQ(plan.per_image_steps, 0);
}

}  // namespace
}  // namespace concertina::runtime
