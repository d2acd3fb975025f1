#include "runtime/tuning.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/file.h"
#include "base/json_tree.h"
#include "base/machine.h"
#include "base/precision.h"
#include "base/try.h"
#include "kernels/layout.h"

namespace concertina::runtime {
namespace {

using Json = nlohmann::ordered_json;

std::optional<std::vector<double>> read_times(const Json& list) {
  if (!list.is_array() || list.empty()) return std::nullopt;
  std::vector<double> times;
  for (const Json& item : list) {
    if (!item.is_number()) return std::nullopt;
    times.push_back(item.get<double>());
    if (!(times.back() > 0) || !std::isfinite(times.back())) return std::nullopt;
  }
  return times;
}

/// Nothing if anything is missing or out of its range.
std::optional<LayerTuning> read_layer(const Json& layer) {
  if (!layer.is_object() || !layer.contains("kernel") || !layer["kernel"].is_string() ||
      !layer.contains("milliseconds") || !layer["milliseconds"].is_object()) {
    return std::nullopt;
  }
  const auto best = find_packing(layer["kernel"].get<std::string>());
  LayerTuning tuning;
  for (const auto& [name, list] : layer["milliseconds"].items()) {
    const auto packing = find_packing(name);
    const auto times = read_times(list);
    if (!packing || !times) return std::nullopt;
    tuning.milliseconds.emplace(*packing, *times);
  }
  if (!best || !tuning.milliseconds.contains(*best)) return std::nullopt;
  tuning.best = *best;
  if (layer.contains("subnets")) {
    if (!layer["subnets"].is_array()) return std::nullopt;
    for (const Json& name : layer["subnets"]) {
      const auto kernel = name.is_string() ? find_kernel(name.get<std::string>()) : std::nullopt;
      if (!kernel) return std::nullopt;
      tuning.kernels.push_back(*kernel);
    }
  }
  return tuning;
}

std::string text_at(const Json& root, const char* key) {
  return root.contains(key) && root[key].is_string() ? root[key].get<std::string>() : std::string();
}

/// 0 if there is no such number.
int number_at(const Json& root, const char* key) {
  if (!root.contains(key) || !root[key].is_number_unsigned() || root[key].get<std::uint64_t>() > 1'000'000)
    return 0;
  return root[key].get<int>();
}

}  // namespace

Result<Tuning> Tuning::parse(std::string_view text) {
  const JsonTree tree(Json::parse(text, nullptr, false));
  const Json& root = *tree;
  if (!root.is_object() || !root.contains("concertina_tuning") || !root.contains("layers") ||
      !root["layers"].is_object()) {
    return Error{"it is not a tuning table; make one with concertina tune"};
  }
  if (root["concertina_tuning"] != 1)
    return Error{"the tuning table has a format that this version does not read"};
  Tuning tuning{.cpu = text_at(root, "cpu"),
                .instruction_set = text_at(root, "instruction_set"),
                .threads = number_at(root, "threads"),
                .batch = number_at(root, "batch"),
                .layers = {}};
  const std::string precision = text_at(root, "precision");
  if (precision != "fp32" && precision != "bf16") return Error{"its precision is neither fp32 nor bf16"};
  if (precision == "bf16") tuning.precision = Precision::bf16;
  if (tuning.threads < 1 || tuning.batch < 1) return Error{"threads and batch must be positive numbers"};
  for (const auto& [name, layer] : root["layers"].items()) {
    auto read = read_layer(layer);
    if (!read) {
      return Error{fmt::format("layer '{}' lacks a kernel that is known and its positive times", name)};
    }
    tuning.layers.emplace(name, *std::move(read));
  }
  return tuning;
}

Result<Tuning> Tuning::read(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const std::string text, read_file(path));
  auto tuning = parse(text);
  if (!tuning) return Error{fmt::format("'{}': {}", path.string(), tuning.error().message)};
  return tuning;
}

std::string Tuning::to_json() const {
  Json root = {{"concertina_tuning", 1},          {"cpu", cpu},         {"instruction_set", instruction_set},
               {"precision", name_of(precision)}, {"threads", threads}, {"batch", batch},
               {"layers", Json::object()}};
  for (const auto& [name, layer] : layers) {
    Json& entry = root["layers"][name] = {{"kernel", packing_name(layer.best)}};
    for (const ConvKernel kernel : layer.kernels) entry["subnets"].push_back(kernel_name(kernel));
    for (const auto& [packing, times] : layer.milliseconds) {
      entry["milliseconds"][std::string(packing_name(packing))] = times;
    }
  }
  return root.dump(1) + "\n";
}

Status Tuning::check(const Graph& graph, Precision wanted) const {
  if (cpu != cpu_name() || instruction_set != kernels::target_name()) {
    return Error{fmt::format(
        "the tuning table was made on '{}' with {}, but this is '{}' with {}; run concertina tune", cpu,
        instruction_set, cpu_name(), kernels::target_name())};
  }
  if (precision != wanted) {
    return Error{fmt::format("the tuning table is for {}, but the model is loaded in {}", name_of(precision),
                             name_of(wanted))};
  }
  for (NodeId id = 0; id < graph.size(); ++id) {
    for (const LayerFilter& filter : layer_filters(graph, id, wanted)) {
      if (filter.packings.size() == 1) continue;
      const auto layer = layers.find(graph.node(id).name);
      const bool fits = layer != layers.end() && std::find(filter.packings.begin(), filter.packings.end(),
                                                           layer->second.best) != filter.packings.end();
      if (fits) continue;
      return Error{
          fmt::format("the tuning table has no kernel for the layer '{}'; it was made of another network",
                      graph.node(id).name)};
    }
  }
  return {};
}

KernelPolicy Tuning::policy() const {
  return {.packing =
              [this](const Node& node, const LayerFilter& filter) {
                return filter.packings.size() > 1 ? layers.at(node.name).best : filter.packings.front();
              },
          .kernels = [this](int subnet) -> ChooseKernel {
            return [this, subnet](const Node& node, std::span<const ConvChoice> choices) {
              const auto layer = layers.find(node.name);
              if (layer == layers.end() || layer->second.kernels.size() <= static_cast<std::size_t>(subnet))
                return choices.front();
              const ConvKernel wanted = layer->second.kernels[subnet];
              const auto found = std::find_if(choices.begin(), choices.end(), [&](const ConvChoice& choice) {
                return choice.kernel == wanted;
              });
              return found == choices.end() ? choices.front() : *found;
            };
          }};
}

}  // namespace concertina::runtime
