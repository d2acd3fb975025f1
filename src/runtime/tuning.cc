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

LayerTuning read_layer(const Reader& layer) {
  LayerTuning tuning;
  tuning.best = read_packing(layer["kernel"], layer["kernel"].text());
  for (const Reader& member : layer["milliseconds"].members()) {
    std::vector<double> times;
    for (const Reader& time : member.entries(1)) times.push_back(time.number(kPositive));
    tuning.milliseconds.insert_or_assign(read_packing(member, member.key()), std::move(times));
  }
  if (!tuning.milliseconds.contains(tuning.best)) layer["kernel"].fail("it has no milliseconds");
  if (const Reader subnets = layer["subnets"]) {
    for (const Reader& name : subnets.entries()) tuning.kernels.push_back(read_kernel(name));
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
    for (const ConvKernel kernel : layer.kernels) entry["subnets"].push_back(kernel_name(kernel));
    for (const auto& [packing, times] : layer.milliseconds) {
      entry["milliseconds"][std::string(packing_name(packing))] = times;
    }
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
