#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/file.h"
#include "base/json_tree.h"
#include "base/try.h"
#include "latency/latency_table.h"

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

/// Nothing unless they are positive, finite and ascend.
std::optional<TimeQuantiles> read_quantiles(const Json& list) {
  std::array<double, TimeQuantiles::kLevels.size()> times;
  if (!list.is_array() || list.size() != times.size()) return std::nullopt;
  double least = 0;
  for (std::size_t i = 0; i < times.size(); ++i) {
    const auto time = read_milliseconds(list[i]);
    if (!time || *time < least) return std::nullopt;
    times[i] = least = *time;
  }
  return TimeQuantiles(times);
}

/// 0 if there is no such number.
int number_at(const Json& object, const char* key) {
  if (!object.contains(key) || !object[key].is_number_unsigned()) return 0;
  const auto number = object[key].get<std::uint64_t>();
  return number > 1'000'000'000 ? 0 : static_cast<int>(number);
}

/// Empty if there is no such text.
std::string text_at(const Json& object, const char* key) {
  return object.contains(key) && object[key].is_string() ? object[key].get<std::string>() : std::string();
}

Result<SubnetLatency> read_subnet(const Json& entry, std::size_t index) {
  if (!entry.is_object()) return Error{fmt::format("its sub-net {} is not an object", index)};
  auto subnet = parse_subnet(text_at(entry, "widths"));
  if (!subnet) return Error{fmt::format("its sub-net {}: {}", index, subnet.error().message)};
  const int batch = number_at(entry, "batch"), threads = number_at(entry, "threads"),
            runs = number_at(entry, "runs");
  if (batch < 1 || threads < 1 || runs < 1) {
    return Error{fmt::format("its sub-net {} lacks a positive batch, threads or runs", to_string(*subnet))};
  }
  const auto times = entry.contains("milliseconds") ? read_quantiles(entry["milliseconds"]) : std::nullopt;
  if (!times) {
    return Error{fmt::format("its sub-net {} lacks {} positive, ascending milliseconds", to_string(*subnet),
                             TimeQuantiles::kLevels.size())};
  }
  return SubnetLatency{
      .subnet = *std::move(subnet), .batch = batch, .threads = threads, .runs = runs, .times = *times};
}

Status read_subnets(const Json& root, LatencyTable& table) {
  if (!root.contains("subnets")) return {};
  if (!root["subnets"].is_array()) return Error{"its subnets are not a list"};
  for (const Json& entry : root["subnets"]) {
    CONCERTINA_ASSIGN(SubnetLatency subnet, read_subnet(entry, table.subnets.size()));
    if (table.find(subnet.subnet, subnet.batch, subnet.threads) != nullptr) {
      return Error{fmt::format("it has the sub-net {} twice with batch {} on {} threads",
                               to_string(subnet.subnet), subnet.batch, subnet.threads)};
    }
    table.subnets.push_back(std::move(subnet));
  }
  return {};
}

Status read_layers(const Json& root, LatencyTable& table) {
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
  const auto fixed = read_milliseconds(root["fixed_milliseconds"]);
  if (!fixed) return Error{"fixed_milliseconds must be a positive number"};
  table.fixed_milliseconds = *fixed;
  return {};
}

/// Older tables have a sentence for a machine.
MeasuredMachine read_machine(const Json& root) {
  if (!root.contains("machine")) return {};
  const Json& machine = root["machine"];
  if (!machine.is_object()) return {.cpu = text_at(root, "machine"), .instruction_set = {}, .governor = {}};
  return {.cpu = text_at(machine, "cpu"),
          .instruction_set = text_at(machine, "instruction_set"),
          .cores = number_at(machine, "cores"),
          .governor = text_at(machine, "governor")};
}

}  // namespace

Result<LatencyTable> LatencyTable::parse(std::string_view text) {
  const JsonTree tree(Json::parse(text, nullptr, false));
  const Json& root = *tree;
  if (!root.is_object() || !root.contains("concertina_latency"))
    return Error{"it is not a latency table; make one with concertina profile"};
  if (root["concertina_latency"] != 1)
    return Error{"the latency table has a format that this version does not read"};
  LatencyTable table;
  table.machine = read_machine(root);
  if (root.contains("precision")) table.precision = text_at(root, "precision");
  if (table.precision != "fp32" && table.precision != "bf16")
    return Error{"its precision is neither fp32 nor bf16"};
  CONCERTINA_TRY(read_subnets(root, table));
  CONCERTINA_TRY(read_layers(root, table));
  return table;
}

Result<LatencyTable> LatencyTable::read(const std::filesystem::path& path) {
  CONCERTINA_ASSIGN(const std::string text, read_file(path));
  auto table = parse(text);
  if (!table) return Error{fmt::format("'{}': {}", path.string(), table.error().message)};
  return table;
}

}  // namespace concertina
