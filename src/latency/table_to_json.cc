#include <nlohmann/json.hpp>

#include "latency/latency_table.h"

namespace concertina {
namespace {

using Json = nlohmann::ordered_json;

Json rows_of(const LayerLatency& layer) {
  Json rows = Json::array();
  const auto columns = static_cast<std::ptrdiff_t>(layer.outputs.size());
  for (auto row = layer.milliseconds.begin(); row != layer.milliseconds.end(); row += columns)
    rows.push_back(std::vector<double>(row, row + columns));
  return rows;
}

}  // namespace

std::string LatencyTable::to_json() const {
  Json root = {{"concertina_latency", 1},
               {"machine",
                {{"cpu", machine.cpu},
                 {"instruction_set", machine.instruction_set},
                 {"cores", machine.cores},
                 {"governor", machine.governor}}},
               {"precision", precision},
               {"subnets", Json::array()},
               {"layers", Json::object()}};
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
  }
  if (fixed_milliseconds > 0) root["fixed_milliseconds"] = fixed_milliseconds;
  // A processor's name is the system's, and may be anything.
  return root.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace concertina
