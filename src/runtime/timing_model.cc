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

}  // namespace

Result<std::shared_ptr<const Model>> make_timing_model(Network network, std::span<const Subnet> subnets,
                                                       const ModelOptions& options) {
  const Weights statistics = statistics_of(network);
  const auto channels = static_cast<std::size_t>(network.graph.shape(network.graph.input()).channels);
  ModelFile file{.network = std::move(network),
                 .subnets = {},
                 .preprocessing = {std::vector<float>(channels, 0), std::vector<float>(channels, 1)},
                 .classes = {}};
  for (const Subnet& subnet : subnets) {
    CONCERTINA_TRY(check_subnet(file.network.graph, subnet));
    file.subnets.push_back({.subnet = subnet,
                            .own = active_arrays(file.network.graph, statistics, subnet),
                            .validation_accuracy = 0,
                            .test_accuracy = {}});
  }
  return make_model(file, options);
}

}  // namespace concertina::runtime
