#include "runtime/tuning.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/machine.h"
#include "base/reader.h"
#include "base/try.h"
#include "concertina/precision.h"
#include "kernels/layout.h"
#include "runtime/calibration.h"

namespace concertina::runtime {
namespace {

using Json = nlohmann::ordered_json;

Packing read_packing(const Reader& reader, std::string_view name) {
  const auto packing = find_packing(name);
  if (!packing) reader.must_be("the name of a packing that is known");
  return packing.value_or(Packing::direct);
}

ConvKernel read_kernel(const Reader& name) {
  const auto kernel = find_kernel(name.text());
  if (!kernel) name.must_be("a kernel that is known");
  return kernel.value_or(ConvKernel::direct);
}

std::vector<ConvKernel> read_kernels(const Reader& names) {
  std::vector<ConvKernel> kernels;
  for (const Reader& name : names.entries()) kernels.push_back(read_kernel(name));
  return kernels;
}

Json names_of(const std::vector<ConvKernel>& kernels) {
  Json names = Json::array();
  for (const ConvKernel kernel : kernels) names.push_back(kernel_name(kernel));
  return names;
}

LayerTuning read_layer(const Reader& layer) {
  LayerTuning tuning;
  tuning.best = read_packing(layer["kernel"], layer["kernel"].text());
  for (const Reader& member : layer["milliseconds"].members()) {
    std::vector<double> times;
    for (const Reader& time : member.entries(1)) times.push_back(time.number(kPositive));
    tuning.milliseconds.insert_or_assign(read_packing(member, member.key()), std::move(times));
  }
  if (!tuning.milliseconds.contains(tuning.best)) layer["kernel"].fail("it has no milliseconds");
  if (const Reader also = layer["also"]) {
    for (const Reader& name : also.entries()) tuning.also.push_back(read_packing(name, name.text()));
  }
  if (const Reader subnets = layer["subnets"]) tuning.kernels = read_kernels(subnets);
  if (const Reader fastest = layer["fastest"]) {
    for (const Reader& member : fastest.members())
      tuning.fastest.insert_or_assign(read_packing(member, member.key()), read_kernels(member));
  }
  return tuning;
}

}  // namespace

Result<Tuning> Tuning::parse(std::string_view text) {
  constexpr Range kCount{1, 1e6};
  const Reader root = Reader::of_json(text);
  root.check_format("concertina_tuning", 1, "tuning table", "concertina tune");
  Tuning tuning{.cpu = root["cpu"].text_or(""),
                .instruction_set = root["instruction_set"].text_or(""),
                .precision = root["precision"].one_of<Precision>(kPrecisions),
                .threads = root["threads"].whole(kCount),
                .batch = root["batch"].whole(kCount),
                .layers = {}};
  for (const Reader& layer : root["layers"].members())
    tuning.layers.insert_or_assign(layer.key(), read_layer(layer));
  RETURN_IF_ERROR(root.status());
  return tuning;
}

Result<Tuning> Tuning::read(const std::filesystem::path& path) {
  return read_as(path, parse);
}

std::string Tuning::to_json() const {
  Json root = {{"concertina_tuning", 1},          {"cpu", cpu},         {"instruction_set", instruction_set},
               {"precision", name_of(precision)}, {"threads", threads}, {"batch", batch},
               {"layers", Json::object()}};
  for (const auto& [name, layer] : layers) {
    Json& entry = root["layers"][name] = {{"kernel", packing_name(layer.best)}};
    for (const Packing packing : layer.also) entry["also"].push_back(packing_name(packing));
    if (!layer.kernels.empty()) entry["subnets"] = names_of(layer.kernels);
    for (const auto& [packing, times] : layer.milliseconds) {
      entry["milliseconds"][std::string(packing_name(packing))] = times;
    }
    for (const auto& [packing, kernels] : layer.fastest)
      entry["fastest"][std::string(packing_name(packing))] = names_of(kernels);
  }
  return root.dump(1) + "\n";
}

Status Tuning::check(const onnx::ModelFile& file, Precision wanted) const {
  if (cpu != cpu_name() || instruction_set != kernels::target_name()) {
    return Error{fmt::format(
        "the tuning table was made on '{}' with {}, but this is '{}' with {}; run concertina tune", cpu,
        instruction_set, cpu_name(), kernels::target_name())};
  }
  if (precision != wanted) {
    return Error{fmt::format("the tuning table is for {}, but the model is loaded in {}", name_of(precision),
                             name_of(wanted))};
  }
  const Graph& graph = file.network.graph;
  const auto calibrated = calibrated_layers(file);
  for (NodeId id = 0; id < graph.size(); ++id) {
    for (const LayerFilter& filter : layer_filters(graph, id, wanted, calibrated(id))) {
      if (filter.packings.size() == 1) continue;
      const auto layer = layers.find(graph.node(id).name);
      const auto can = [&](Packing packing) {
        return std::find(filter.packings.begin(), filter.packings.end(), packing) != filter.packings.end();
      };
      if (layer != layers.end() && can(layer->second.best) &&
          std::all_of(layer->second.also.begin(), layer->second.also.end(), can))
        continue;
      return Error{fmt::format(
          "the tuning table has no kernel for the layer '{}'; it was made of another network, or before "
          "the model had scales",
          graph.node(id).name)};
    }
  }
  return {};
}

KernelPolicy Tuning::policy() const {
  return {.packings =
              [this](const Node& node, const LayerFilter& filter) {
                if (filter.packings.size() == 1) return filter.packings;
                const LayerTuning& layer = layers.at(node.name);
                std::vector<Packing> packings = {layer.best};
                packings.insert(packings.end(), layer.also.begin(), layer.also.end());
                return packings;
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
