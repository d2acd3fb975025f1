#include "latency/table_to_json.h"

#include "latency/latency_table.h"

namespace concertina::latency {
namespace {

OrderedJson rows_of(const LayerLatency& layer) {
  OrderedJson rows = OrderedJson::array();
  const auto columns = static_cast<std::ptrdiff_t>(layer.outputs.size());
  for (auto row = layer.milliseconds.begin(); row != layer.milliseconds.end(); row += columns)
    rows.push_back(std::vector<double>(row, row + columns));
  return rows;
}

}  // namespace

std::string LatencyTable::to_json() const {
  OrderedJson root = {
      {"concertina_latency", 1},
      {"machine",
       {{"cpu", machine.cpu},
        {"instruction_set", machine.instruction_set},
        {"cores", machine.cores},
        {"governor", machine.governor}}},
      {"precision", precision},
      {"subnets", OrderedJson::array()},
      {"layers_measured",
       {{"batch", conditions.batch}, {"threads", conditions.threads}, {"vector", conditions.vector}}},
      {"layers", OrderedJson::object()}};
  for (const SubnetLatency& one : subnets) {
    root["subnets"].push_back({{"widths", to_string(one.subnet)},
                               {"batch", one.batch},
                               {"threads", one.threads},
                               {"runs", one.runs},
                               {"milliseconds", one.times.milliseconds()}});
  }
  for (const auto& [name, layer] : layers) {
    root["layers"][name] = {
        {"inputs", layer.inputs}, {"outputs", layer.outputs}, {"milliseconds", rows_of(layer)}};
    if (layer.macs > 0) root["layers"][name]["macs"] = layer.macs;
  }
  if (fixed_milliseconds > 0) root["fixed_milliseconds"] = fixed_milliseconds;
  if (prediction) root["prediction"] = latency::to_json(*prediction);
  // A processor's name is the system's, and may be anything.
  return root.dump(1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

}  // namespace concertina::latency
