#include "runtime/feature_affine.h"

#include <cmath>

namespace concertina::runtime {
namespace {

/// A per-feature array of `node`: the sub-net's own, or the active part of the shared one.
std::vector<double> active_part(const Network& network, NodeId node, const char* parameter,
                                const Subnet& subnet, const Weights& own) {
  const Graph& graph = network.graph;
  if (const auto found = own.find(graph.node(node).name + parameter); found != own.end())
    return {found->second.values.begin(), found->second.values.end()};
  const Array& full = network.weights.at(graph.node(node).name + parameter);
  std::vector<double> part;
  for (const auto& [begin, count] : graph.layout().active_ranges(graph.axis(node), subnet)) {
    part.insert(part.end(), full.values.begin() + begin, full.values.begin() + begin + count);
  }
  return part;
}

bool has_bias(const Op& op) {
  if (const auto* conv = std::get_if<op::Conv>(&op)) return conv->bias;
  if (const auto* linear = std::get_if<op::Linear>(&op)) return linear->bias;
  return false;
}

}  // namespace

FeatureAffine feature_affine(const Network& network, NodeId node, NodeId norm, const Subnet& subnet,
                             const Weights& own) {
  const Graph& graph = network.graph;
  const NodeId last = norm != kNone ? norm : node;
  const auto count = static_cast<std::size_t>(active_shape(graph, last, subnet).channels);
  FeatureAffine result{std::vector<double>(count, 1.0), std::vector<double>(count, 0.0)};
  if (node != kNone && has_bias(graph.node(node).op)) {
    result.shift = active_part(network, node, ".bias", subnet, own);
  }
  if (norm == kNone) return result;
  const std::string& name = graph.node(norm).name;
  const double epsilon = std::get_if<op::BatchNorm>(&graph.node(norm).op)->epsilon;
  const std::vector<double> weight = active_part(network, norm, ".weight", subnet, own);
  const std::vector<double> bias = active_part(network, norm, ".bias", subnet, own);
  const std::vector<float>& mean = own.at(name + ".running_mean").values;
  const std::vector<float>& variance = own.at(name + ".running_var").values;
  for (std::size_t c = 0; c < count; ++c) {
    result.scale[c] = weight[c] / std::sqrt(variance[c] + epsilon);
    result.shift[c] = (result.shift[c] - mean[c]) * result.scale[c] + bias[c];
  }
  return result;
}

}  // namespace concertina::runtime
