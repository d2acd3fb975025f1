#include <nlohmann/json.hpp>

#include "concertina/precision.h"
#include "latency/latency_table.h"

namespace concertina::latency {
namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson rows_of(const LayerLatency& layer) {
  OrderedJson rows = OrderedJson::array();
  const auto columns = static_cast<std::ptrdiff_t>(layer.outputs.size());
  for (auto row = layer.milliseconds.begin(); row != layer.milliseconds.end(); row += columns)
    rows.push_back(std::vector<double>(row, row + columns));
  return rows;
}

OrderedJson to_entry(const PredictionError& error) {
  return {{"median_error", error.median},
          {"worst_error", error.worst},
          {"rank_correlation", error.rank_correlation}};
}

OrderedJson to_entry(const PredictionQuality& prediction) {
  return {{"subnets", prediction.subnets},
          {"noise", prediction.noise},
          {"layer_sums", to_entry(prediction.layer_sums)},
          {"roofline", to_entry(prediction.roofline)},
          {"macs", to_entry(prediction.macs)},
          {"peak_gflops", prediction.machine.gflops},
          {"gbytes_per_second", prediction.machine.gbytes_per_second}};
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
      {"precision", name_of(precision)},
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
  for (const auto& [resolution, nodes] : resolutions)
    root["resolutions"].push_back({{"resolution", resolution}, {"milliseconds", nodes}});
  if (fixed_milliseconds > 0) root["fixed_milliseconds"] = fixed_milliseconds;
  if (prediction) root["prediction"] = to_entry(*prediction);
  // A processor's name is the system's, and may be anything.
  return root.dump(1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

}  // namespace concertina::latency
