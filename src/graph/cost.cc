#include "graph/cost.h"

#include <algorithm>

#include "graph/branches.h"
#include "graph/network.h"
#include "graph/resolution.h"

namespace concertina {

std::int64_t macs_of(const Graph& graph, NodeId id, const Subnet& subnet) {
  if (id < graph.inputs()) return 0;
  const Node& node = graph.node(id);
  const Shape input = active_shape(graph, node.inputs[0], subnet);
  const Shape output = active_shape(graph, id, subnet);
  return std::visit([&](const auto& op) { return op.macs(input, output); }, node.op);
}

std::int64_t macs_from(const Graph& graph, const Subnet& subnet, NodeId first) {
  if (subnet.resolution > 0)
    return macs_from(at_resolution(graph, subnet.resolution).value(), {subnet.widths}, first);
  std::int64_t total = 0;
  const std::vector<bool> absent = absent_nodes(graph, subnet);
  for (NodeId id = std::max(first, graph.inputs()); id < graph.size(); ++id)
    total += absent[id] ? 0 : macs_of(graph, id, subnet);
  return total;
}

Cost cost(const Graph& graph, const Subnet& subnet) {
  Cost total{.macs = macs_from(graph, subnet, 0), .parameters = 0};
  const std::vector<bool> absent = absent_nodes(graph, subnet);
  for (NodeId id = 1; id < graph.size(); ++id) {
    if (absent[id]) continue;
    for (const Parameter& parameter : parameters(graph, id)) {
      if (!parameter.trainable) continue;
      std::int64_t count = 1;
      for (const int size : active_sizes(graph, id, parameter, subnet)) count *= size;
      total.parameters += count;
    }
  }
  return total;
}

}  // namespace concertina
