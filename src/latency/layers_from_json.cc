#include <fmt/format.h>

#include <limits>

#include "base/try.h"
#include "latency/parts_from_json.h"

namespace concertina::latency {
namespace {

constexpr std::int64_t kMaxMacs = 1'000'000'000'000'000;
constexpr std::int64_t kWidestVector = 4096;

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

/// Nothing if anything is missing or out of its range.
std::optional<LayerLatency> read_layer(const Json& layer) {
  if (!layer.is_object() || !layer.contains("inputs") || !layer.contains("outputs") ||
      !layer.contains("milliseconds"))
    return std::nullopt;
  const auto inputs = read_widths(layer["inputs"]), outputs = read_widths(layer["outputs"]);
  const Json& rows = layer["milliseconds"];
  if (!inputs || !outputs || !rows.is_array() || rows.size() != inputs->size()) return std::nullopt;
  LayerLatency result{.inputs = *inputs, .outputs = *outputs, .milliseconds = {}};
  for (const Json& row : rows) {
    if (!row.is_array() || row.size() != outputs->size()) return std::nullopt;
    for (const Json& number : row) {
      const auto value = positive_number(number);
      if (!value) return std::nullopt;
      result.milliseconds.push_back(*value);
    }
  }
  if (layer.contains("macs")) {
    result.macs = count_at(layer, "macs", kMaxMacs);
    if (result.macs == 0) return std::nullopt;
  }
  return result;
}

Status read_conditions(const Json& root, LatencyTable& table) {
  if (!root.contains("layers_measured")) return {};
  const Json& conditions = root["layers_measured"];
  if (!conditions.is_object()) return Error{"its layers_measured is not an object"};
  table.conditions = {.batch = static_cast<int>(count_at(conditions, "batch")),
                      .threads = static_cast<int>(count_at(conditions, "threads")),
                      .vector = static_cast<int>(count_at(conditions, "vector", kWidestVector))};
  const auto& [batch, threads, vector] = table.conditions;
  if (batch > 0 && threads > 0 && vector > 0) return {};
  return Error{"its layers_measured lacks a positive batch, threads or vector"};
}

}  // namespace

Status read_layers(const Json& root, LatencyTable& table) {
  RETURN_IF_ERROR(read_conditions(root, table));
  if (root.contains("layers")) {
    if (!root["layers"].is_object()) return Error{"its layers are not an object"};
    for (const auto& [name, layer] : root["layers"].items()) {
      auto read = read_layer(layer);
      if (!read) {
        return Error{fmt::format(
            "layer '{}' lacks ascending inputs and outputs, or a positive time for each pair of them", name)};
      }
      table.layers.emplace(name, *std::move(read));
    }
  }
  if (!root.contains("fixed_milliseconds")) return {};
  const auto fixed = positive_number(root["fixed_milliseconds"]);
  if (!fixed) return Error{"fixed_milliseconds must be a positive number"};
  table.fixed_milliseconds = *fixed;
  return {};
}

}  // namespace concertina::latency
