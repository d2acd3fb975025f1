#include "graph/random_weights.h"

#include <cmath>

#include "base/random.h"
#include "graph/branches.h"

namespace concertina {
namespace {

Array random_array(const Parameter& parameter, const std::vector<int>& shape, std::uint64_t stream) {
  const CounterRandom random(7, stream);
  Array array{.shape = shape, .values = {}};
  std::size_t count = 1;
  for (const int size : shape) count *= static_cast<std::size_t>(size);
  const double fan_in = static_cast<double>(count) / shape[0];
  for (std::size_t i = 0; i < count; ++i) {
    const double x = random.uniform(i);
    const bool is_variance = parameter.name == "running_var";
    array.values.push_back(static_cast<float>(is_variance ? 0.5 + x : (2 * x - 1) * std::sqrt(3 / fan_in)));
  }
  return array;
}

}  // namespace

Weights random_arrays(const Graph& graph, const Subnet& subnet, std::uint64_t seed,
                      bool (*wanted)(const Op&, const Parameter&)) {
  Weights arrays;
  const std::vector<bool> absent = absent_nodes(graph, subnet);
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (absent[id]) continue;
    for (const Parameter& parameter : parameters(graph, id)) {
      if (!wanted(graph.node(id).op, parameter)) continue;
      arrays.emplace(
          parameter_name(graph.node(id), parameter),
          random_array(parameter, active_sizes(graph, id, parameter, subnet), 1000 * seed + arrays.size()));
    }
  }
  return arrays;
}

Weights random_weights(const Graph& graph) {
  return random_arrays(graph, full_subnet(graph), 0, [](const Op&, const Parameter&) { return true; });
}

Weights random_statistics(const Graph& graph, const Subnet& subnet, std::uint64_t seed) {
  return random_arrays(graph, subnet, seed, [](const Op&, const Parameter& p) { return !p.trainable; });
}

}  // namespace concertina
