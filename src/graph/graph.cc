#include "graph/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/try.h"
#include "graph/branches.h"
#include "graph/resolution.h"

namespace concertina {
namespace {

Error at_node(const Node& node, std::string_view what) {
  return Error{fmt::format("node '{}' ({}): {}", node.name, type_name(node.op), what)};
}

template <typename T>
std::vector<T> pick(const std::vector<T>& all, const std::vector<NodeId>& ids) {
  std::vector<T> picked;
  for (const NodeId id : ids) picked.push_back(all[id]);
  return picked;
}

Status check_inputs(const Node& node, NodeId id, int network_inputs) {
  const int wanted = std::visit([](const auto& op) { return op.kInputs; }, node.op);
  const int given = static_cast<int>(node.inputs.size());
  if ((wanted == -1) != (id < network_inputs)) {
    return at_node(node, "the network's inputs, at least one, must come before all other nodes");
  }
  if (wanted > 0 ? given != wanted : wanted == 0 ? given == 0 : given != 0) {
    return at_node(node, fmt::format("it has {} inputs, which is not what this op takes", given));
  }
  for (const NodeId input : node.inputs) {
    if (input < 0 || input >= id) return at_node(node, "it reads a node that does not come before it");
  }
  return {};
}

using NodesByName = std::unordered_map<std::string_view, const Node*>;

Status check_ties(const Node& node, const NodesByName& earlier) {
  for (const auto& [name, owner] : node.tied) {
    const auto is_meant = [&name = name](const Parameter& p) { return p.name == name && p.trainable; };
    const auto found = earlier.find(owner);
    const Node* const other = found == earlier.end() ? nullptr : found->second;
    bool fits = other && other->op.index() == node.op.index() && !other->tied.contains(name);
    if (fits) {
      const auto mine = parameters_of(node.op), its = parameters_of(other->op);
      const auto a = std::find_if(mine.begin(), mine.end(), is_meant);
      const auto b = std::find_if(its.begin(), its.end(), is_meant);
      fits = a != mine.end() && b != its.end() && *a == *b;
    }
    if (fits) continue;
    return at_node(node,
                   fmt::format("it cannot use the {} of '{}', which is no earlier node of its kind that "
                               "has an equal one of its own",
                               name, owner));
  }
  return {};
}

Status check_outputs(std::span<const Node> nodes, std::span<const NodeId> outputs) {
  std::unordered_set<NodeId> seen;
  for (const NodeId output : outputs) {
    if (output < 0 || output >= static_cast<NodeId>(nodes.size())) {
      return Error{"an output of the network is no node of it"};
    }
    const Node& node = nodes[output];
    if (std::holds_alternative<op::Input>(node.op))
      return at_node(node, "an input cannot be an output as well");
    if (!seen.insert(output).second) return at_node(node, "it is listed twice as an output");
  }
  return {};
}

/// `empty`: the dimensions without channels.
Status check_absent(const Graph& graph, const Subnet& subnet, const std::vector<int>& empty) {
  const auto name = [&](int d) { return graph.layout().dimensions[d].name; };
  const Result<Branch> branch = absent_without(graph, empty);
  if (!branch) {
    return Error{fmt::format("sub-net {} cannot do without all channels of '{}': {}", to_string(subnet),
                             name(empty[0]), branch.error().message)};
  }
  for (const int d : branch->dimensions) {
    if (subnet.widths[d] == 0) continue;
    return Error{
        fmt::format("sub-net {} keeps {} channels of '{}', which is absent without '{}'; write 0 for both",
                    to_string(subnet), subnet.widths[d], name(d), name(empty[0]))};
  }
  return {};
}

int leading_inputs(std::span<const Node> nodes) {
  int count = 0;
  for (const Node& node : nodes) {
    if (!std::holds_alternative<op::Input>(node.op)) break;
    ++count;
  }
  return std::max(count, 1);
}

}  // namespace

Result<Graph> Graph::make(std::vector<Node> nodes, std::vector<NodeId> outputs) {
  if (nodes.size() < 2) return Error{"a network needs an input and at least one op"};
  Graph graph;
  graph.nodes_ = std::move(nodes);
  graph.inputs_ = leading_inputs(graph.nodes_);
  graph.outputs_ = std::move(outputs);
  if (graph.outputs_.empty()) graph.outputs_ = {graph.size() - 1};
  NodesByName earlier;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    RETURN_IF_ERROR(check_ties(node, earlier));
    if (node.name.empty() || !earlier.emplace(node.name, &node).second)
      return at_node(node, "its name is empty or not unique");
    RETURN_IF_ERROR(check_inputs(node, id, graph.inputs_));
    const std::vector<Shape> input_shapes = pick(graph.shapes_, node.inputs);
    const auto shape = std::visit([&](const auto& op) { return op.output_shape(input_shapes); }, node.op);
    if (!shape) return at_node(node, shape.error().message);
    graph.shapes_.push_back(*shape);
  }
  RETURN_IF_ERROR(check_outputs(graph.nodes_, graph.outputs_));
  graph.layout_ = analyse_channels(graph.nodes_, graph.outputs_);
  return graph;
}

Subnet full_subnet(const Graph& graph) {
  Subnet subnet;
  for (int d = 0; d < graph.layout().free_dimensions; ++d) {
    subnet.widths.push_back(graph.layout().dimensions[d].channels);
  }
  return subnet;
}

Status check_subnet(const Graph& graph, const Subnet& subnet) {
  const ChannelLayout& layout = graph.layout();
  std::vector<int> empty;
  if (static_cast<int>(subnet.widths.size()) != layout.free_dimensions) {
    return Error{fmt::format("sub-net {} has {} widths, but the network has {} free channel dimensions",
                             to_string(subnet), subnet.widths.size(), layout.free_dimensions)};
  }
  for (std::size_t d = 0; d < subnet.widths.size(); ++d) {
    const ChannelDimension& dimension = layout.dimensions[d];
    if (subnet.widths[d] < 0 || subnet.widths[d] > dimension.channels) {
      return Error{fmt::format("sub-net {} keeps {} channels of '{}', which has {}", to_string(subnet),
                               subnet.widths[d], dimension.name, dimension.channels)};
    }
    if (subnet.widths[d] == 0) empty.push_back(static_cast<int>(d));
  }
  if (!empty.empty()) RETURN_IF_ERROR(check_absent(graph, subnet, empty));
  if (subnet.resolution == 0) return {};
  const Shape& image = graph.shape(graph.input());
  if (subnet.resolution >= std::min(image.height, image.width)) {
    return Error{
        fmt::format("sub-net {} has a resolution of {}, but the image is {} x {}; leave it out for the "
                    "whole image",
                    to_string(subnet), subnet.resolution, image.height, image.width)};
  }
  const auto small = at_resolution(graph, subnet.resolution);
  if (!small) return Error{fmt::format("sub-net {}: {}", to_string(subnet), small.error().message)};
  return empty.empty() ? Status() : check_absent(*small, subnet, empty);
}

std::vector<std::vector<NodeId>> readers_by_node(const Graph& graph) {
  std::vector<std::vector<NodeId>> readers(static_cast<std::size_t>(graph.size()));
  for (NodeId id = 0; id < graph.size(); ++id) {
    for (const NodeId input : graph.node(id).inputs) readers[input].push_back(id);
  }
  return readers;
}

std::int64_t input_elements(const Graph& graph) {
  std::int64_t count = 0;
  for (NodeId id = 0; id < graph.inputs(); ++id) count += graph.shape(id).elements();
  return count;
}

std::int64_t output_elements(const Graph& graph) {
  std::int64_t count = 0;
  for (const NodeId id : graph.outputs()) count += graph.shape(id).elements();
  return count;
}

Shape active_shape(const Graph& graph, NodeId id, const Subnet& subnet) {
  Shape shape = graph.shape(id);
  shape.channels = graph.layout().active_features(graph.axis(id), subnet);
  return shape;
}

}  // namespace concertina
