#include "graph/resolution.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace concertina {
namespace {

// A search goes down to this share of the image's side.
constexpr int kLeastShare = 4;

// Into so many steps an image is divided at most; of large images each is several multiples.
constexpr int kMostSteps = 32;

// Of an image that is scaled down: bounds the memory that a strange file can ask for.
constexpr int kLargestSide = 1 << 14;

int shorter_side(const Shape& image) {
  return std::min(image.height, image.width);
}

/// By how much the network divides rows before it pools over all of them: a power of two, as strides are.
int row_divisor(const Graph& graph) {
  const int image = shorter_side(graph.shape(graph.input()));
  int least = image;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const int rows = shorter_side(graph.shape(id));
    if (rows > 1) least = std::min(least, rows);
  }
  return 1 << std::lround(std::log2(static_cast<double>(image) / least));
}

/// Whether the op does the same to its inputs where they are smaller.
Status check_scales(const Graph& graph, NodeId id, const std::vector<Shape>& smaller) {
  const Node& node = graph.node(id);
  const auto whole = [&](std::size_t i) { return graph.shape(node.inputs[i]); };
  const bool of_one_size =
      std::holds_alternative<op::Resize>(node.op) || std::holds_alternative<op::Opaque>(node.op);
  if (of_one_size && smaller[0] != whole(0))
    return Error{fmt::format("'{}' ({}) takes a map of one size only", node.name, type_name(node.op))};
  for (std::size_t i = 1; i < smaller.size(); ++i) {
    const bool were = whole(i) == whole(0), are = smaller[i] == smaller[0];
    const bool joins = std::holds_alternative<op::Add>(node.op) || std::holds_alternative<op::Mul>(node.op);
    if (joins && were != are) return Error{fmt::format("the inputs of '{}' would differ in size", node.name)};
  }
  return {};
}

}  // namespace

Shape scaled(const Shape& image, int resolution) {
  if (resolution == 0) return image;
  const double share = static_cast<double>(resolution) / shorter_side(image);
  const auto side = [share](int pixels) {
    return std::max(1, static_cast<int>(std::lround(share * pixels)));
  };
  return {.channels = image.channels, .height = side(image.height), .width = side(image.width)};
}

Result<Graph> at_resolution(const Graph& graph, int resolution) {
  const Shape image = graph.shape(graph.input());
  if (resolution == 0 || resolution == shorter_side(image)) return graph;
  const auto refused = [&](const std::string& reason) {
    return Error{fmt::format("the network cannot run at a resolution of {}: {}", resolution, reason)};
  };
  if (graph.inputs() > 1) return refused("it has several inputs");
  if (resolution < 1 || resolution > shorter_side(image)) {
    return refused(
        fmt::format("its image is {} x {}; choose 1 to {}", image.height, image.width, shorter_side(image)));
  }
  if (std::max(image.height, image.width) > kLargestSide)
    return refused(fmt::format("its image has sides of more than {} pixels", kLargestSide));
  Graph small = graph;
  std::get<op::Input>(small.nodes_[graph.input()].op).shape = scaled(image, resolution);
  small.shapes_[graph.input()] = scaled(image, resolution);
  for (NodeId id = graph.inputs(); id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    std::vector<Shape> inputs;
    for (const NodeId input : node.inputs) inputs.push_back(small.shape(input));
    if (const Status scales = check_scales(graph, id, inputs); !scales)
      return refused(scales.error().message);
    const auto shape = std::visit([&](const auto& op) { return op.output_shape(inputs); }, node.op);
    if (!shape) return refused(fmt::format("'{}': {}", node.name, shape.error().message));
    if (shape->channels != graph.shape(id).channels) {
      return refused(fmt::format("'{}' flattens a map, whose size would change; it must pool over all pixels",
                                 node.name));
    }
    small.shapes_[id] = *shape;
  }
  for (const NodeId output : graph.outputs()) {
    if (small.shape(output) == graph.shape(output)) continue;
    return refused(fmt::format("its output '{}' would be {} instead of {}", graph.node(output).name,
                               to_string(small.shape(output)), to_string(graph.shape(output))));
  }
  return small;
}

std::vector<int> resolutions(const Graph& graph) {
  const int side = shorter_side(graph.shape(graph.input()));
  const int divisor = row_divisor(graph);
  const int step = divisor * std::max(1, (side / divisor + kMostSteps - 1) / kMostSteps);
  std::vector<int> found;
  for (int pixels = (side - 1) / step * step; pixels > 0 && pixels * kLeastShare >= side; pixels -= step) {
    if (at_resolution(graph, pixels)) found.push_back(pixels);
  }
  return found;
}

Status check_resolutions(const Graph& graph) {
  if (!resolutions(graph).empty()) return {};
  const auto half = at_resolution(graph, std::max(1, shorter_side(graph.shape(graph.input())) / 2));
  return half ? Error{"the network's image is too small to be scaled down"} : half.error();
}

Subnet keep_resolution(const Graph& graph, const Subnet& subnet, double share) {
  const int side = shorter_side(graph.shape(graph.input()));
  const double wanted = share * side;
  Subnet kept{subnet.widths};
  double nearest = side - wanted;
  for (const int pixels : resolutions(graph)) {
    const double distance = std::abs(pixels - wanted);
    if (distance >= nearest) continue;
    nearest = distance;
    kept.resolution = pixels;
  }
  return kept;
}

}  // namespace concertina
