#include "latency/latency_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "graph/cost.h"
#include "graph/networks/networks.h"

namespace concertina::latency {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

/// Every layer takes inputs * outputs microseconds, measured at two widths of each.
Json table_for(const Graph& graph) {
  Json table = {{"concertina_latency", 1}, {"layers", Json::object()}};
  for (NodeId id = 1; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (!std::holds_alternative<op::Conv>(node.op) && !std::holds_alternative<op::Linear>(node.op)) continue;
    const int in = graph.shape(node.inputs[0]).channels, out = graph.shape(id).channels;
    const std::vector<int> inputs = in > 3 ? std::vector<int>{1, in} : std::vector<int>{in};
    Json rows = Json::array();
    for (const int i : inputs) rows.push_back({i * 1 * 1e-3, i * out * 1e-3});
    table["layers"][node.name] = {{"inputs", inputs}, {"outputs", {1, out}}, {"milliseconds", rows}};
  }
  return table;
}

class LatencyTableTest : public ::testing::Test {
 protected:
  void expect_refused(const Json& table, const char* part) {
    const auto parsed = LatencyTable::parse(table.dump());
    ASSERT_FALSE(parsed) << table.dump().substr(0, 200);
    EXPECT_THAT(parsed.error().message, HasSubstr(part));
  }

  const Graph graph_ = *make_network({.name = "resnet8", .input = {3, 32, 32}});
  const Json table_ = table_for(graph_);
};

TEST_F(LatencyTableTest, InterpolatesBetweenMeasuredWidths) {
  const LatencyTable table = *LatencyTable::parse(table_.dump());
  ASSERT_TRUE(table.check_layers(graph_));
  Subnet subnet = full_subnet(graph_);
  for (int& width : subnet.widths) width = width * 5 / 8;
  double expected = 0;  // a product of two widths is what bilinear interpolation gives back exactly
  for (NodeId id = 1; id < graph_.size(); ++id) {
    const Node& node = graph_.node(id);
    if (!table_["layers"].contains(node.name)) continue;
    expected += 1e-3 * active_shape(graph_, node.inputs[0], subnet).channels *
                active_shape(graph_, id, subnet).channels;
  }
  EXPECT_NEAR(table.layer_sum(graph_, subnet), expected, 1e-9);
}

TEST_F(LatencyTableTest, ScalesNodesToALowerResolution) {
  Json table = table_;
  Subnet half = full_subnet(graph_);
  for (int& width : half.widths) width /= 2;
  const double whole = LatencyTable::parse(table.dump())->layer_sum(graph_, half);
  const std::string fc = "fc", image = graph_.node(0).name;
  ASSERT_TRUE(table["layers"].contains(fc));
  const double fc_ms = table["layers"][fc]["milliseconds"].back().back().get<double>();

  // Not measured: a quarter of the pixels, but for the layer behind the pool.
  const double fc_half = fc_ms / 2;
  EXPECT_NEAR(LatencyTable::parse(table.dump())->layer_sum(graph_, {half.widths, 16}),
              (whole - fc_half) / 4 + fc_half, 1e-9);

  // Measured: three eighths of each layer's time, and the scaling of the image.
  Json nodes = {{image, 0.5}};
  for (const auto& [name, layer] : table["layers"].items())
    nodes[name] = layer["milliseconds"].back().back().get<double>() * 3 / 8;
  table["resolutions"] = {{{"resolution", 16}, {"milliseconds", nodes}}};
  const LatencyTable measured = *LatencyTable::parse(table.dump());
  EXPECT_EQ(*LatencyTable::parse(measured.to_json()), measured);
  EXPECT_NEAR(measured.layer_sum(graph_, {half.widths, 16}), whole * 3 / 8 + 0.5, 1e-9);
  EXPECT_NEAR(measured.layer_sum(graph_, half), whole, 1e-12);

  table["resolutions"].push_back({{"resolution", 16}, {"milliseconds", nodes}});
  expect_refused(table, "resolution 16 is there twice");
  table["resolutions"] = {{{"resolution", 16}, {"milliseconds", {{fc, 0}}}}};
  expect_refused(table, "milliseconds");
}

TEST_F(LatencyTableTest, TakesWholeVectors) {
  Json table = table_;
  table["layers_measured"] = {{"batch", 2}, {"threads", 3}, {"vector", 8}};
  const LatencyTable parsed = *LatencyTable::parse(table.dump());
  EXPECT_EQ(parsed.conditions, (LayerConditions{.batch = 2, .threads = 3, .vector = 8}));
  Subnet nine = full_subnet(graph_), sixteen = nine;
  nine.widths.back() = 9;  // of the last stage's outputs: the layers that make them have whole vectors
  sixteen.widths.back() = 16;
  double readers = 0;  // their inputs differ
  for (NodeId id = 1; id < graph_.size(); ++id) {
    const Node& node = graph_.node(id);
    if (!table_["layers"].contains(node.name)) continue;
    const int outputs = (active_shape(graph_, id, nine).channels + 7) / 8 * 8;
    readers += 1e-3 * std::min(outputs, graph_.shape(id).channels) *
               (active_shape(graph_, node.inputs[0], sixteen).channels -
                active_shape(graph_, node.inputs[0], nine).channels);
  }
  EXPECT_GT(readers, 0);
  EXPECT_NEAR(parsed.layer_sum(graph_, sixteen) - parsed.layer_sum(graph_, nine), readers, 1e-9);
}

TEST_F(LatencyTableTest, SumsEveryNodeThatWasMeasured) {
  Json table = table_;
  table["layers"]["pool"] = {
      {"inputs", {64}}, {"outputs", {1, 64}}, {"milliseconds", {{1.0, 64.0}}}};  // follows its output
  ASSERT_EQ(graph_.shape(graph_.size() - 1).channels, 10);
  const LatencyTable parsed = *LatencyTable::parse(table.dump());
  ASSERT_TRUE(parsed.check_layers(graph_));
  Subnet subnet = full_subnet(graph_);
  const double without = LatencyTable::parse(table_.dump())->layer_sum(graph_, subnet);
  EXPECT_NEAR(parsed.layer_sum(graph_, subnet), without + 64, 1e-9);
}

TEST_F(LatencyTableTest, KnowsItsNetwork) {
  const auto table_of = [](const Graph& graph) {
    Json table = table_for(graph);
    for (NodeId id = 1; id < graph.size(); ++id) {
      const std::string& name = graph.node(id).name;
      if (table["layers"].contains(name))
        table["layers"][name]["macs"] = macs_of(graph, id, full_subnet(graph));
    }
    return *LatencyTable::parse(table.dump());
  };
  const Graph larger = *make_network({.name = "resnet8", .input = {3, 64, 64}});
  const Graph deeper = *make_network({.name = "resnet14", .input = {3, 32, 32}});
  const Graph fewer = *make_network({.name = "resnet8", .input = {3, 32, 32}, .classes = 5});
  EXPECT_TRUE(table_of(graph_).check_layers(graph_));
  EXPECT_TRUE(table_of(graph_).check_layers(fewer));
  const auto expect_other = [&](const Graph& measured, const Graph& graph) {
    const Status status = table_of(measured).check_layers(graph);
    ASSERT_FALSE(status);
    EXPECT_THAT(status.error().message, HasSubstr("another network"));
  };
  expect_other(larger, graph_);
  expect_other(deeper, graph_);
  expect_other(graph_, deeper);
}

TEST_F(LatencyTableTest, IsConstantOutsideAndAddsWhatIsFixed) {
  Json table = table_;
  table["fixed_milliseconds"] = 2.5;
  for (auto& layer : table["layers"]) {
    layer["inputs"] = {1000};
    layer["outputs"] = {1000};
    layer["milliseconds"] = {{0.5}};
  }
  const LatencyTable parsed = *LatencyTable::parse(table.dump());
  EXPECT_NEAR(parsed.layer_sum(graph_, full_subnet(graph_)),
              2.5 + 0.5 * static_cast<double>(table["layers"].size()), 1e-9);
}

TEST_F(LatencyTableTest, RefusesWhatIsNotOne) {
  expect_refused(Json::array(), "not a latency table");
  expect_refused({{"concertina_latency", 2}, {"layers", Json::object()}}, "format");
  const auto edited = [&](const char* key, const Json& value) {
    Json table = table_;
    table["layers"]["stem"][key] = value;
    return table;
  };
  expect_refused(edited("inputs", {0}), "layers.stem.inputs[0] must be a whole number from 1 to 2147483647");
  expect_refused(edited("outputs", {8, 8}), "layers.stem.outputs[1]: the widths must be ascending");
  expect_refused(edited("outputs", {1, 4294967297}), "layers.stem.outputs[1] must be a whole number");
  expect_refused(edited("milliseconds", Json::array()), "layers.stem.milliseconds must be a list of 1");
  expect_refused(edited("milliseconds", {{0.1, -1}}),
                 "layers.stem.milliseconds[0][1] must be a positive number");
  expect_refused(edited("milliseconds", {{0.1, "x"}}),
                 "layers.stem.milliseconds[0][1] must be a positive number");
  Json table = table_;
  table["fixed_milliseconds"] = 0;
  expect_refused(table, "fixed_milliseconds must be a positive number");
  expect_refused(edited("macs", -1), "layers.stem.macs must be a whole number");
  table = table_;
  table["layers_measured"] = {{"batch", 1}, {"threads", 0}, {"vector", 16}};
  expect_refused(table, "layers_measured.threads must be a whole number");
  table = table_;
  table["prediction"] = {{"subnets", 3}};
  expect_refused(table, "prediction.noise is missing; it must be a number");
  table["prediction"] = 7;
  expect_refused(table, "prediction must be an object");
  EXPECT_FALSE(LatencyTable::parse("{"));
  EXPECT_FALSE(LatencyTable::read("/nowhere.json"));
}

TEST_F(LatencyTableTest, HoldsTheTimesOfSubnets) {
  LatencyTable table;
  table.machine = {.cpu = "a processor", .instruction_set = "AVX3", .cores = 2, .governor = "performance"};
  table.precision = Precision::bf16;
  std::vector<double> runs(101);
  for (std::size_t i = 0; i < runs.size(); ++i) runs[i] = 1 + static_cast<double>(100 - i) / 100;
  const TimeQuantiles times = TimeQuantiles::of(runs);
  table.subnets.push_back({.subnet = {{16, 8}}, .batch = 1, .threads = 2, .runs = 101, .times = times});
  table.layers["stem"] = {.inputs = {3}, .outputs = {4, 8}, .milliseconds = {0.1, 0.25}};
  table.layers["stem"].macs = 7;
  table.conditions = {.batch = 8, .threads = 2, .vector = 16};
  table.fixed_milliseconds = 0.5;
  table.prediction = {.subnets = 24,
                      .noise = 0.02,
                      .layer_sums = {0.01, 0.1, 0.99},
                      .roofline = {0.5, 2, 0.9},
                      .macs = {0.2, 0.4, -0.5},
                      .machine = {100, 12}};
  const auto again = LatencyTable::parse(table.to_json());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, table);
  for (const char* key : {"worst_error", "rank_correlation"}) {
    Json json = Json::parse(table.to_json());
    json["prediction"]["macs"][key] = -1.5;
    expect_refused(json, (std::string("prediction.macs.") + key + " must be a number").c_str());
  }
  ASSERT_NE(again->find({{16, 8}}, 1, 2), nullptr);
  EXPECT_EQ(again->find({{16, 8}}, 1, 1), nullptr);
  EXPECT_EQ(again->find({{16, 4}}, 1, 2), nullptr);
  EXPECT_DOUBLE_EQ(times.median(), 1.5);
  EXPECT_DOUBLE_EQ(times.at(0.9), 1.9);
  EXPECT_DOUBLE_EQ(times.at(0.97), 1.97);
  EXPECT_DOUBLE_EQ(times.at(1), 2);
  EXPECT_DOUBLE_EQ(times.at(0), times.at(0.05));
}

TEST_F(LatencyTableTest, RefusesWrongSubnets) {
  const Json good = {{"widths", "16-8"},
                     {"batch", 1},
                     {"threads", 1},
                     {"runs", 9},
                     {"milliseconds", {1, 1, 2, 2, 3, 3, 4, 5}}};
  const auto with = [&](const char* key, const Json& value) {
    Json one = good;
    one[key] = value;
    return Json{{"concertina_latency", 1}, {"subnets", {one}}};
  };
  ASSERT_TRUE(LatencyTable::parse(with("runs", 9).dump()));
  expect_refused(with("widths", "16-x"), "subnets[0].widths must be a list of widths");
  expect_refused(with("batch", 0), "subnets[0].batch must be a whole number");
  expect_refused(with("threads", -1), "subnets[0].threads must be");
  expect_refused(with("runs", 1e30), "subnets[0].runs must be");
  expect_refused(with("milliseconds", {1, 1, 2, 2, 3, 3, 4}), "subnets[0].milliseconds must be a list of 8");
  expect_refused(with("milliseconds", {1, 1, 2, 2, 3, 3, 4, 3}),
                 "subnets[0].milliseconds[7]: the times must be ascending");
  expect_refused(with("milliseconds", {0, 1, 2, 2, 3, 3, 4, 5}),
                 "subnets[0].milliseconds[0] must be a positive number");
  expect_refused({{"concertina_latency", 1}, {"subnets", {good, good}}},
                 "subnets[1]: 16-8 with batch 1 on 1 threads is there twice");
  EXPECT_TRUE(LatencyTable::parse(with("widths", "").dump())->find({}, 1, 1));
  expect_refused({{"concertina_latency", 1}, {"subnets", 7}}, "subnets must be a list");
  expect_refused({{"concertina_latency", 1}, {"precision", "int4"}}, "precision must be one of fp32, bf16");
}

TEST_F(LatencyTableTest, NamesALayerThatWasNotMeasured) {
  Json table = table_;
  table["layers"].erase("fc");
  EXPECT_THAT(LatencyTable::parse(table.dump())->check_layers(graph_).error().message, HasSubstr("'fc'"));
}

}  // namespace
}  // namespace concertina::latency
