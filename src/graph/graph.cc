#include "graph/graph.h"

#include <fmt/format.h>

#include <unordered_set>

#include "base/try.h"

namespace concertina {
namespace {

Error at_node(const Node& node, std::string_view what) {
  return Error{fmt::format("node '{}' ({}): {}", node.name, type_name(node.op), what)};
}

template <typename T>
std::vector<T> pick(const std::vector<T>& all, const std::vector<NodeId>& ids) {
  std::vector<T> picked;
  for (const NodeId id : ids) picked.push_back(all[static_cast<std::size_t>(id)]);
  return picked;
}

Status check_inputs(const Node& node, NodeId id) {
  const int wanted = std::visit([](const auto& op) { return op.kInputs; }, node.op);
  const int given = static_cast<int>(node.inputs.size());
  if ((wanted == -1) != (id == 0)) return at_node(node, "the first node, and no other, must be the input");
  if (wanted > 0 ? given != wanted : wanted == 0 ? given == 0 : given != 0) {
    return at_node(node, fmt::format("it has {} inputs, which is not what this op takes", given));
  }
  for (const NodeId input : node.inputs) {
    if (input < 0 || input >= id) return at_node(node, "it reads a node that does not come before it");
  }
  return {};
}

}  // namespace

Result<Graph> Graph::make(std::vector<Node> nodes) {
  if (nodes.size() < 2) return Error{"a network needs an input and at least one op"};
  Graph graph;
  graph.nodes_ = std::move(nodes);
  ChannelAnalysis analysis(graph.nodes_);
  std::vector<ChannelAxis> axes;
  std::unordered_set<std::string_view> names;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (node.name.empty() || !names.insert(node.name).second)
      return at_node(node, "its name is empty or not unique");
    CONCERTINA_TRY(check_inputs(node, id));
    const std::vector<Shape> input_shapes = pick(graph.shapes_, node.inputs);
    const auto shape = std::visit([&](const auto& op) { return op.output_shape(input_shapes); }, node.op);
    if (!shape) return at_node(node, shape.error().message);
    graph.shapes_.push_back(*shape);
    const std::vector<ChannelAxis> input_axes = pick(axes, node.inputs);
    const ChannelContext context{analysis, id, node.name, input_axes};
    axes.push_back(std::visit([&](const auto& op) { return op.output_channels(context); }, node.op));
  }
  analysis.lock(axes.back(), graph.output(),
                fmt::format("'{}' is the network's output", graph.node(graph.output()).name));
  graph.layout_ = analysis.finish(std::move(axes));
  return graph;
}

Subnet full_subnet(const Graph& graph) {
  Subnet subnet;
  for (int d = 0; d < graph.layout().free_dimensions; ++d) {
    subnet.widths.push_back(graph.layout().dimensions[static_cast<std::size_t>(d)].channels);
  }
  return subnet;
}

Status check_subnet(const Graph& graph, const Subnet& subnet) {
  const ChannelLayout& layout = graph.layout();
  if (static_cast<int>(subnet.widths.size()) != layout.free_dimensions) {
    return Error{fmt::format("sub-net {} has {} widths, but the network has {} free channel dimensions",
                             to_string(subnet), subnet.widths.size(), layout.free_dimensions)};
  }
  for (std::size_t d = 0; d < subnet.widths.size(); ++d) {
    const ChannelDimension& dimension = layout.dimensions[d];
    if (subnet.widths[d] < 1 || subnet.widths[d] > dimension.channels) {
      return Error{fmt::format("sub-net {} keeps {} channels of '{}', which has {}", to_string(subnet),
                               subnet.widths[d], dimension.name, dimension.channels)};
    }
  }
  return {};
}

Shape active_shape(const Graph& graph, NodeId id, const Subnet& subnet) {
  Shape shape = graph.shape(id);
  shape.channels = graph.layout().active_features(graph.axis(id), subnet);
  return shape;
}

}  // namespace concertina
