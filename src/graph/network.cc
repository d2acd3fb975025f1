#include "graph/network.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <span>

#include "base/try.h"
#include "graph/branches.h"

namespace concertina {
namespace {

const ChannelAxis* axis_of(const Graph& graph, NodeId id, ParameterAxis axis) {
  switch (axis) {
    case ParameterAxis::output_channels:
      return &graph.axis(id);
    case ParameterAxis::input_channels:
      return &graph.axis(graph.node(id).inputs[0]);
    case ParameterAxis::fixed:
      return nullptr;
  }
  return nullptr;
}

/// The array with index[d][i] of dimension d at position i.
Array gather(const Array& source, const std::vector<std::vector<int>>& index) {
  Array result;
  std::size_t count = 1;
  for (const auto& along : index) {
    result.shape.push_back(static_cast<int>(along.size()));
    count *= along.size();
  }
  result.values.reserve(count);
  std::vector<std::size_t> at(index.size(), 0);
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t offset = 0;
    for (std::size_t d = 0; d < index.size(); ++d) {
      offset = offset * static_cast<std::size_t>(source.shape[d]) + static_cast<std::size_t>(index[d][at[d]]);
    }
    result.values.push_back(source.values[offset]);
    for (std::size_t d = index.size(); d-- > 0 && ++at[d] == index[d].size();) at[d] = 0;
  }
  return result;
}

std::vector<int> every(int count) {
  std::vector<int> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

/// Calls visit(name, node id, parameter) for each array of the graph.
template <typename Visit>
void for_each_parameter(const Graph& graph, Visit visit) {
  for (NodeId id = 0; id < graph.size(); ++id) {
    for (const Parameter& parameter : parameters(graph, id)) {
      visit(parameter_name(graph.node(id), parameter), id, parameter);
    }
  }
}

/// Applies index_along(axis) to each channel dimension of each array that `weights` holds.
template <typename IndexAlong>
Weights gather_all(const Graph& graph, const Weights& weights, IndexAlong index_along) {
  Weights result;
  for_each_parameter(graph, [&](const std::string& name, NodeId id, const Parameter& parameter) {
    const auto found = weights.find(name);
    if (found == weights.end()) return;
    std::vector<std::vector<int>> index;
    for (std::size_t d = 0; d < parameter.shape.size(); ++d) {
      const ChannelAxis* axis = axis_of(graph, id, parameter.axes[d]);
      index.push_back(axis ? index_along(*axis) : every(parameter.shape[d]));
    }
    result.emplace(name, gather(found->second, index));
  });
  return result;
}

/// Without a branch for each value, so that the compiler makes vectors of it: this is asked of every weight
/// of a model that is loaded.
bool all_finite(std::span<const float> values) {
  constexpr std::uint32_t kExponent = 0x7f800000;  // all ones in infinities and NaNs
  constexpr std::uint32_t kLowestBit = 0x00800000;
  constexpr std::size_t kBlock = 256;
  std::uint32_t overflown = 0;
  for (; values.size() >= kBlock; values = values.subspan(kBlock)) {
    for (std::size_t i = 0; i < kBlock; ++i) {
      overflown |= (std::bit_cast<std::uint32_t>(values[i]) & kExponent) + kLowestBit;
    }
  }
  for (const float value : values)
    overflown |= (std::bit_cast<std::uint32_t>(value) & kExponent) + kLowestBit;
  return (overflown & ~kExponent) == 0;
}

}  // namespace

Op resized(const Graph& graph, NodeId id, const Subnet& subnet) {
  Op op = graph.node(id).op;
  if (id < graph.inputs()) return op;
  const NodeId input = graph.node(id).inputs[0];
  const auto read = graph.layout().active_ranges(graph.axis(input), subnet);
  const auto made = graph.layout().active_ranges(graph.axis(id), subnet);
  const ActiveFeatures active{.in = active_shape(graph, input, subnet).channels,
                              .out = active_shape(graph, id, subnet).channels,
                              .input_ranges = read,
                              .output_ranges = made};
  std::visit([&](auto& o) { o.resize(active); }, op);
  return op;
}

std::vector<Parameter> parameters(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  std::vector<Parameter> list = parameters_of(node.op);
  std::erase_if(list, [&](const Parameter& parameter) { return node.tied.contains(parameter.name); });
  return list;
}

std::string parameter_name(const Node& node, std::string_view parameter) {
  const auto tied = node.tied.find(std::string(parameter));
  return fmt::format("{}.{}", tied == node.tied.end() ? node.name : tied->second, parameter);
}

std::vector<int> active_sizes(const Graph& graph, NodeId id, const Parameter& parameter,
                              const Subnet& subnet) {
  std::vector<int> sizes = parameter.shape;
  for (std::size_t d = 0; d < sizes.size(); ++d) {
    const ChannelAxis* axis = axis_of(graph, id, parameter.axes[d]);
    if (axis) sizes[d] = graph.layout().active_features(*axis, subnet);
  }
  return sizes;
}

Status check_weights(const Graph& graph, const Weights& weights) {
  std::size_t expected = 0;
  Status status;
  for_each_parameter(graph, [&](const std::string& name, NodeId, const Parameter& parameter) {
    ++expected;
    if (!status) return;
    const auto found = weights.find(name);
    if (found == weights.end()) {
      status = Error{fmt::format("the array '{}' is missing", name)};
    } else if (found->second.shape != parameter.shape) {
      status = Error{fmt::format("the array '{}' is {} where the network needs {}", name,
                                 fmt::join(found->second.shape, "x"), fmt::join(parameter.shape, "x"))};
    } else if (!all_finite(found->second.values)) {
      status = Error{fmt::format("the array '{}' holds a value that is not finite", name)};
    }
  });
  RETURN_IF_ERROR(status);
  if (weights.size() != expected) {
    return Error{fmt::format("there are {} arrays where the network has {}", weights.size(), expected)};
  }
  return {};
}

Weights permute_channels(const Graph& graph, const Weights& weights,
                         const std::vector<std::vector<int>>& orders) {
  return gather_all(graph, weights,
                    [&](const ChannelAxis& axis) { return graph.layout().feature_order(axis, orders); });
}

Weights active_arrays(const Graph& whole, const Weights& weights, const Subnet& subnet) {
  const Graph graph = variant(whole, subnet);
  return gather_all(graph, weights, [&](const ChannelAxis& axis) {
    std::vector<int> kept;
    for (const auto& [begin, count] : graph.layout().active_ranges(axis, subnet)) {
      for (int i = 0; i < count; ++i) kept.push_back(begin + i);
    }
    return kept;
  });
}

Network extract(const Network& network, const Subnet& subnet, const Weights& own) {
  const Graph graph = variant(network.graph, subnet);
  Weights weights = active_arrays(graph, network.weights, subnet);
  for (const auto& [name, array] : own) weights.insert_or_assign(name, array);
  std::vector<Node> nodes;
  for (NodeId id = 0; id < graph.size(); ++id) {
    nodes.push_back(graph.node(id));
    nodes.back().op = resized(graph, id, subnet);
  }
  // The graph was valid and all channels of a dimension shrink together, so this one is valid too.
  const std::span<const NodeId> outputs = graph.outputs();
  return {std::move(Graph::make(std::move(nodes), {outputs.begin(), outputs.end()})).value(),
          std::move(weights)};
}

}  // namespace concertina
