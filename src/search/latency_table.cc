#include "search/latency_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/file.h"
#include "base/try.h"

namespace concertina {
namespace {

using Json = nlohmann::json;

std::optional<std::vector<int>> read_widths(const Json& list) {
  if (!list.is_array() || list.empty()) return std::nullopt;
  std::vector<int> widths;
  for (const Json& item : list) {
    if (!item.is_number_unsigned() || item.get<std::uint64_t>() > std::numeric_limits<int>::max())
      return std::nullopt;
    const int width = item.get<int>();
    if (width <= (widths.empty() ? 0 : widths.back())) return std::nullopt;
    widths.push_back(width);
  }
  return widths;
}

std::optional<double> read_milliseconds(const Json& number) {
  if (!number.is_number()) return std::nullopt;
  const auto value = number.get<double>();
  return std::isfinite(value) && value > 0 ? std::optional(value) : std::nullopt;
}

/// Nothing if anything is missing or out of its range.
std::optional<LayerLatency> read_layer(const Json& layer) {
  if (!layer.is_object() || !layer.contains("inputs") || !layer.contains("outputs") ||
      !layer.contains("milliseconds"))
    return std::nullopt;
  const auto inputs = read_widths(layer["inputs"]), outputs = read_widths(layer["outputs"]);
  const Json& rows = layer["milliseconds"];
  if (!inputs || !outputs || !rows.is_array() || rows.size() != inputs->size()) return std::nullopt;
  LayerLatency result{*inputs, *outputs, {}};
  for (const Json& row : rows) {
    if (!row.is_array() || row.size() != outputs->size()) return std::nullopt;
    for (const Json& number : row) {
      const auto value = read_milliseconds(number);
      if (!value) return std::nullopt;
      result.milliseconds.push_back(*value);
    }
  }
  return result;
}

/// Where a width lies between measured ones: value = (1 - share) * [low] + share * [high].
struct Place {
  std::size_t low;
  std::size_t high;
  double share;
};

Place place(const std::vector<int>& widths, int width) {
  const auto above = std::lower_bound(widths.begin(), widths.end(), width);
  if (above == widths.end()) return {widths.size() - 1, widths.size() - 1, 0};
  const auto high = static_cast<std::size_t>(above - widths.begin());
  if (high == 0 || *above == width) return {high, high, 0};
  const int left = widths[high - 1];
  return {high - 1, high, static_cast<double>(width - left) / (*above - left)};
}

double interpolated(const LayerLatency& layer, int inputs, int outputs) {
  const Place in = place(layer.inputs, inputs), out = place(layer.outputs, outputs);
  const auto row = [&](std::size_t i) {
    const double* values = layer.milliseconds.data() + i * layer.outputs.size();
    return (1 - out.share) * values[out.low] + out.share * values[out.high];
  };
  return (1 - in.share) * row(in.low) + in.share * row(in.high);
}

bool is_layer(const Op& op) {
  return std::holds_alternative<op::Conv>(op) || std::holds_alternative<op::Linear>(op);
}

}  // namespace

Result<LatencyTable> LatencyTable::parse(std::string_view text) {
  const Json root = Json::parse(text, nullptr, false);
  if (!root.is_object() || !root.contains("concertina_latency") || !root.contains("layers") ||
      !root["layers"].is_object())
    return Error{"it is not a latency table; make one with concertina profile"};
  if (root["concertina_latency"] != 1)
    return Error{"the latency table has a format that this version does not read"};
  LatencyTable table;
  for (const auto& [name, layer] : root["layers"].items()) {
    auto read = read_layer(layer);
    if (!read) {
      return Error{fmt::format(
          "layer '{}' lacks ascending inputs and outputs, or a positive time for each pair of them", name)};
    }
    table.layers_.emplace(name, *std::move(read));
  }
  if (root.contains("fixed_milliseconds")) {
    const auto fixed = read_milliseconds(root["fixed_milliseconds"]);
    if (!fixed) return Error{"fixed_milliseconds must be a positive number"};
    table.fixed_ = *fixed;
  }
  return table;
}

Result<LatencyTable> LatencyTable::read(const std::filesystem::path& path) {
  CONCERTINA_ASSIGN(const std::string text, read_file(path));
  auto table = parse(text);
  if (!table) return Error{fmt::format("'{}': {}", path.string(), table.error().message)};
  return table;
}

Status LatencyTable::check(const Graph& graph) const {
  for (const Node& node : graph.nodes()) {
    if (is_layer(node.op) && !layers_.contains(node.name)) {
      return Error{
          fmt::format("the latency table has no layer '{}'; it was measured on another network", node.name)};
    }
  }
  return {};
}

double LatencyTable::milliseconds(const Graph& graph, const Subnet& subnet) const {
  double sum = fixed_;
  for (NodeId id = 1; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (!is_layer(node.op)) continue;
    sum += interpolated(layers_.at(node.name), active_shape(graph, node.inputs[0], subnet).channels,
                        active_shape(graph, id, subnet).channels);
  }
  return sum;
}

}  // namespace concertina
