#include "profile/measure_layers.h"

#include <gtest/gtest.h>

#include "graph/cost.h"
#include "graph/resolution.h"
#include "profile/layer_times.h"
#include "profile/measure_subnets.h"
#include "testing/models.h"

namespace concertina::profile {
namespace {

onnx::ModelFile small_file(const Graph& graph) {
  return testing::model_file(graph, testing::nested_subnets(graph, 3));
}

TEST(LayerTimes, HaveEveryLayerOfEverySubnet) {
  const Graph graph = testing::branches();
  Session session = Session::make(testing::load(small_file(graph)), {.max_batch = 2}).value();
  LayerTimes times(session, graph, 2);
  SilentProgress progress;
  ASSERT_TRUE(times.measure(0, 4, SteadyClock(), progress));
  EXPECT_EQ(times.rounds(), 4);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(times.of(i).runs.size(), 4u);
    EXPECT_EQ(times.of(i).others.size(), 4u);
    for (NodeId id = 0; id < graph.size(); ++id) {
      if (macs_of(graph, id, full_subnet(graph)) == 0) continue;
      ASSERT_TRUE(times.of(i).nodes.contains(id)) << graph.node(id).name;
      EXPECT_EQ(times.of(i).nodes.at(id).size(), 4u);
    }
  }
}

/// Every layer of every kind of network has a grid up to its full size, and what is predicted is judged.
TEST(MeasureLayers, MakesATableForASearch) {
  for (const testing::NamedGraph& net : testing::test_graphs()) {
    const Graph graph = net.graph();
    latency::LatencyTable table;
    SilentProgress progress;
    const Status status =
        measure_layers(small_file(graph).network, {.machine = {100, 10}, .seconds = 0, .least_rounds = 1},
                       SteadyClock(), progress, table);
    ASSERT_TRUE(status) << net.name << ": " << status.error().message;
    EXPECT_TRUE(table.check_layers(graph)) << net.name;
    for (const auto& [name, layer] : table.layers)
      EXPECT_EQ(layer.milliseconds.size(), layer.inputs.size() * layer.outputs.size()) << name;
    for (NodeId id = graph.inputs(); id < graph.size(); ++id) {
      if (macs_of(graph, id, full_subnet(graph)) == 0) continue;
      const latency::LayerLatency& layer = table.layers.at(graph.node(id).name);
      EXPECT_EQ(layer.inputs.back(), graph.shape(graph.node(id).inputs[0]).channels) << net.name;
      EXPECT_EQ(layer.outputs.back(), graph.shape(id).channels) << net.name;
    }
    EXPECT_EQ(table.resolutions.size(), resolutions(graph).size()) << net.name;
    for (const auto& [resolution, nodes] : table.resolutions) EXPECT_FALSE(nodes.empty()) << net.name;
    const bool has_subnets = graph.layout().free_dimensions > 0;
    EXPECT_EQ(table.prediction.has_value(), has_subnets) << net.name;
    const auto again = latency::LatencyTable::parse(table.to_json());
    ASSERT_TRUE(again) << net.name << ": " << again.error().message;
    EXPECT_EQ(*again, table) << net.name;
  }
}

TEST(Profile, MeasuresSubnetsAndLayers) {
  const Graph graph = testing::resnet8();
  SilentProgress progress;
  const auto table = measure_model(small_file(graph), {.batches = {2}, .threads = {1, 2}, .seconds = 0.1},
                                   SteadyClock(), progress);
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ(table->subnets.size(), 6u);
  EXPECT_EQ(table->conditions.batch, 2);
  EXPECT_TRUE(table->check_layers(graph));
  EXPECT_GE(table->layers.at("stage3.block1.conv2").inputs.size(), 3u);  // few widths are three
  const auto none =
      measure_model(small_file(graph), {.threads = {}, .seconds = 0.1}, SteadyClock(), progress);
  EXPECT_FALSE(none);
}

TEST(Profile, LeavesLayersOut) {
  const Graph graph = testing::resnet8();
  SilentProgress progress;
  const auto table =
      measure_model(small_file(graph), {.seconds = 0.05, .layers = false}, SteadyClock(), progress);
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ(table->subnets.size(), 3u);
  EXPECT_TRUE(table->layers.empty());
  EXPECT_FALSE(table->check_layers(graph));
}

}  // namespace
}  // namespace concertina::profile
