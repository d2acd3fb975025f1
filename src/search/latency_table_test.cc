#include "search/latency_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "graph/networks/networks.h"

namespace concertina {
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
  ASSERT_TRUE(table.check(graph_));
  Subnet subnet = full_subnet(graph_);
  for (int& width : subnet.widths) width = width * 5 / 8;
  double expected = 0;  // a product of two widths is what bilinear interpolation gives back exactly
  for (NodeId id = 1; id < graph_.size(); ++id) {
    const Node& node = graph_.node(id);
    if (!table_["layers"].contains(node.name)) continue;
    expected += 1e-3 * active_shape(graph_, node.inputs[0], subnet).channels *
                active_shape(graph_, id, subnet).channels;
  }
  EXPECT_NEAR(table.milliseconds(graph_, subnet), expected, 1e-9);
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
  EXPECT_NEAR(parsed.milliseconds(graph_, full_subnet(graph_)),
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
  expect_refused(edited("inputs", {0}), "layer 'stem'");
  expect_refused(edited("outputs", {8, 8}), "layer 'stem'");
  expect_refused(edited("outputs", {1, 4294967297}), "layer 'stem'");
  expect_refused(edited("milliseconds", Json::array()), "layer 'stem'");
  expect_refused(edited("milliseconds", {{0.1, -1}}), "layer 'stem'");
  expect_refused(edited("milliseconds", {{0.1, "x"}}), "layer 'stem'");
  Json table = table_;
  table["fixed_milliseconds"] = 0;
  expect_refused(table, "fixed_milliseconds");
  EXPECT_FALSE(LatencyTable::parse("{"));
  EXPECT_FALSE(LatencyTable::read("/nowhere.json"));
}

TEST_F(LatencyTableTest, NamesALayerThatWasNotMeasured) {
  Json table = table_;
  table["layers"].erase("fc");
  EXPECT_THAT(LatencyTable::parse(table.dump())->check(graph_).error().message, HasSubstr("'fc'"));
}

}  // namespace
}  // namespace concertina
