#include "runtime/timing_model.h"

#include "base/try.h"

namespace concertina::runtime {
namespace {

/// The network's arrays of which each sub-net has its own.
Weights statistics_of(const Network& network) {
  Weights statistics;
  for (NodeId id = 0; id < network.graph.size(); ++id) {
    for (const Parameter& parameter : parameters(network.graph, id)) {
      if (parameter.trainable) continue;
      const std::string name = parameter_name(network.graph.node(id), parameter);
      statistics.emplace(name, network.weights.at(name));
    }
  }
  return statistics;
}

onnx::ModelFile file_without_subnets(Network network) {
  const auto channels = static_cast<std::size_t>(network.graph.shape(network.graph.input()).channels);
  return {.network = std::move(network),
          .subnets = {},
          .preprocessing = {std::vector<float>(channels, 0), std::vector<float>(channels, 1)},
          .classes = {}};
}

/// int8 takes nearly the same time with all of them.
Quantizations any_scales(const Graph& graph) {
  Quantizations scales;
  for (NodeId id = 0; id < graph.size(); ++id)
    scales.emplace(graph.node(id).name, Quantization{.zero_point = 128});
  return scales;
}

Status add_subnet(const Subnet& subnet, const Weights& statistics, onnx::ModelFile& file) {
  RETURN_IF_ERROR(check_subnet(file.network.graph, subnet));
  file.subnets.push_back({.subnet = subnet,
                          .own = active_arrays(file.network.graph, statistics, subnet),
                          .validation_accuracy = 0,
                          .test_accuracy = {},
                          .quantization = any_scales(file.network.graph)});
  return {};
}

}  // namespace

onnx::ModelFile file_of(Network network) {
  const Subnet full = full_subnet(network.graph);
  const Weights statistics = statistics_of(network);
  onnx::ModelFile file = file_without_subnets(std::move(network));
  (void)add_subnet(full, statistics, file);  // the full network is one
  return file;
}

Result<std::shared_ptr<const Model>> make_timing_model(Network network, std::span<const Subnet> subnets,
                                                       const ModelOptions& options) {
  const Weights statistics = statistics_of(network);
  onnx::ModelFile file = file_without_subnets(std::move(network));
  for (const Subnet& subnet : subnets) RETURN_IF_ERROR(add_subnet(subnet, statistics, file));
  return make_model(file, options);
}

}  // namespace concertina::runtime
