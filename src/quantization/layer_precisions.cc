#include "quantization/layer_precisions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/try.h"
#include "graph/branches.h"
#include "graph/cost.h"
#include "runtime/calibration.h"
#include "runtime/packed_weights.h"

namespace concertina::quantization {
namespace {

using runtime::Packing;

/// How long the layer takes over all sub-nets, each with the same weight.
double mean_logarithm(const std::vector<double>& milliseconds) {
  double sum = 0;
  for (const double ms : milliseconds) sum += std::log(ms);
  return sum;
}

/// The fastest packing of fp32, then those of other precisions. A layer has one packing of each of them.
std::vector<Packing> options_of(const runtime::LayerTuning& layer, const std::vector<Packing>& possible) {
  std::vector<Packing> options, fp32;
  for (const Packing packing : possible) {
    if (!layer.milliseconds.contains(packing)) continue;
    (precision_of(packing) == Precision::fp32 ? fp32 : options).push_back(packing);
  }
  if (fp32.empty()) return {};
  options.insert(options.begin(), *std::min_element(fp32.begin(), fp32.end(), [&](Packing a, Packing b) {
                   return mean_logarithm(layer.milliseconds.at(a)) < mean_logarithm(layer.milliseconds.at(b));
                 }));
  return options;
}

/// Fails if something that its times need is missing.
Status check_layer(const std::string& name, const runtime::LayerTuning& layer, std::size_t subnets) {
  for (const auto& [packing, milliseconds] : layer.milliseconds) {
    const auto kernels = layer.fastest.find(packing);
    if (milliseconds.size() == subnets && kernels != layer.fastest.end() && kernels->second.size() == subnets)
      continue;
    return Error{fmt::format(
        "the tuning table does not say for each sub-net which kernel is fastest for the layer '{}'; make it "
        "anew with concertina tune --precision auto",
        name)};
  }
  return {};
}

std::int64_t weights_of(const Graph& graph, NodeId id, const Subnet& subnet) {
  std::int64_t count = 0;
  for (const Parameter& parameter : parameters(graph, id)) {
    if (parameter.name != "weight") continue;
    count = 1;
    for (const int size : active_sizes(graph, id, parameter, subnet)) count *= size;
  }
  return count;
}

constexpr std::int64_t bytes_of_number(Precision precision) {
  return precision == Precision::int8 ? 1 : precision == Precision::bf16 ? 2 : 4;
}

}  // namespace

Precision precision_of(Packing packing) {
  if (packing == Packing::int8) return Precision::int8;
  return packing == Packing::bf16 ? Precision::bf16 : Precision::fp32;
}

Result<LayerPrecisions> LayerPrecisions::make(const onnx::ModelFile& file, runtime::Tuning tuning) {
  const bool timed_int8 = std::any_of(tuning.layers.begin(), tuning.layers.end(), [](const auto& layer) {
    return layer.second.milliseconds.contains(Packing::int8);
  });
  if (timed_int8) RETURN_IF_ERROR(runtime::check_calibrated(file));
  RETURN_IF_ERROR(tuning.check(file, Precision::automatic));
  for (const auto& [name, layer] : tuning.layers)
    RETURN_IF_ERROR(check_layer(name, layer, file.subnets.size()));
  LayerPrecisions made(file, std::move(tuning));
  made.find_layers();
  made.find_choices();
  if (!made.layers_.empty()) return made;
  RETURN_IF_ERROR(runtime::check_calibrated(file));
  return Error{
      "the tuning table leaves no layer a choice of precisions; make it anew with concertina tune --precision "
      "auto"};
}

void LayerPrecisions::find_layers() {
  const Graph& graph = file_->network.graph;
  const auto calibrated = runtime::calibrated_layers(*file_);
  for (NodeId id = 0; id < graph.size(); ++id) {
    const auto filters = runtime::layer_filters(graph, id, Precision::automatic, calibrated(id));
    if (filters.empty()) continue;
    const std::vector<Packing>& possible = filters.front().packings;
    const auto bytes_in = [&](auto packing_of) {
      std::size_t sum = 0;
      for (const runtime::LayerFilter& filter : filters) sum += packed_bytes(filter, packing_of(filter));
      return static_cast<std::int64_t>(sum);
    };
    PreciseLayer layer{.node = id, .options = {}, .bytes = {}};
    const auto tuned = tuning_.layers.find(graph.node(id).name);
    if (tuned != tuning_.layers.end()) layer.options = options_of(tuned->second, possible);
    if (layer.options.size() < 2) {
      other_bytes_ += bytes_in([&](const runtime::LayerFilter& filter) {
        return filter.packings.size() > 1 ? tuned->second.best : filter.packings.front();
      });
      continue;
    }
    for (const Packing packing : layer.options)
      layer.bytes.push_back(bytes_in([&](const runtime::LayerFilter&) { return packing; }));
    layers_.push_back(std::move(layer));
  }
}

void LayerPrecisions::find_choices() {
  const Graph& graph = file_->network.graph;
  for (const onnx::SubnetRecord& record : file_->subnets) {
    const std::vector<bool> absent = absent_nodes(graph, record.subnet);
    std::vector<bool>& choices = choices_.emplace_back();
    for (const PreciseLayer& layer : layers_) {
      const bool own = record.own.contains(parameter_name(graph.node(layer.node), "weight"));
      choices.push_back(!absent[layer.node] && !own);
    }
  }
}

const std::string& LayerPrecisions::name(std::size_t layer) const {
  return file_->network.graph.node(layers_[layer].node).name;
}

LayerOptions LayerPrecisions::times(int subnet) const {
  LayerOptions times(layers_.size());
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (!choices_[subnet][i]) continue;
    for (const Packing packing : layers_[i].options)
      times[i].push_back({.cost = tuned(i).milliseconds.at(packing)[subnet]});
  }
  return times;
}

Combination LayerPrecisions::all_in(Precision precision, int subnet) const {
  Combination options;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const std::vector<Packing>& all = layers_[i].options;
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](Packing packing) { return precision_of(packing) == precision; });
    const int option = found == all.end() ? 0 : static_cast<int>(found - all.begin());
    options.push_back(choices_[subnet][i] ? option : kNoOption);
  }
  return options;
}

bool LayerPrecisions::has(Precision precision) const {
  return std::any_of(layers_.begin(), layers_.end(), [&](const PreciseLayer& layer) {
    return std::any_of(layer.options.begin(), layer.options.end(),
                       [&](Packing packing) { return precision_of(packing) == precision; });
  });
}

OptionBytes LayerPrecisions::bytes() const {
  OptionBytes bytes;
  for (const PreciseLayer& layer : layers_) bytes.push_back(layer.bytes);
  return bytes;
}

std::int64_t LayerPrecisions::weight_bytes(const MixedSubnet& mixed) const {
  const Graph& graph = file_->network.graph;
  const Subnet& subnet = file_->subnets[mixed.subnet].subnet;
  std::int64_t bytes = 4 * cost(graph, subnet).parameters;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (mixed.options[i] == kNoOption) continue;
    const Precision precision = precision_of(layers_[i].options[mixed.options[i]]);
    bytes -= (4 - bytes_of_number(precision)) * weights_of(graph, layers_[i].node, subnet);
  }
  return bytes;
}

void LayerPrecisions::set_kernels(std::size_t layer, std::span<const MixedSubnet> subnets,
                                  runtime::LayerTuning& to) const {
  const std::vector<Packing>& options = layers_[layer].options;
  std::vector<Packing> used;
  for (const MixedSubnet& mixed : subnets) {
    const int option = mixed.options[layer];
    if (option != kNoOption && std::find(used.begin(), used.end(), options[option]) == used.end())
      used.push_back(options[option]);
  }
  if (used.empty()) used.push_back(options.front());
  to.best = used.front();
  to.also.assign(used.begin() + 1, used.end());
  to.kernels.clear();
  for (const MixedSubnet& mixed : subnets) {
    const int option = mixed.options[layer];
    const Packing packing = option == kNoOption ? to.best : options[option];
    to.kernels.push_back(to.fastest.at(packing)[mixed.subnet]);
  }
}

runtime::Tuning LayerPrecisions::tuning_of(std::span<const MixedSubnet> subnets) const {
  runtime::Tuning tuning = tuning_;
  for (auto& [name, layer] : tuning.layers) {
    if (layer.kernels.empty()) continue;
    std::vector<runtime::ConvKernel> kernels;
    for (const MixedSubnet& mixed : subnets) kernels.push_back(layer.kernels[mixed.subnet]);
    layer.kernels = std::move(kernels);
  }
  for (std::size_t i = 0; i < layers_.size(); ++i) set_kernels(i, subnets, tuning.layers.at(name(i)));
  return tuning;
}

}  // namespace concertina::quantization
