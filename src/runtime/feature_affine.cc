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

/// Adds what one node does.
class Composition {
 public:
  Composition(const Network& network, const Subnet& subnet, const Weights& own, std::size_t features)
      : network_(network),
        subnet_(subnet),
        own_(own),
        result_{Doubles(features, 1.0), Doubles(features, 0.0)} {}

  void add(NodeId node) {
    const Op& op = network_.graph.node(node).op;
    if (const auto* norm = std::get_if<op::BatchNorm>(&op)) add_norm(node, norm->epsilon);
    if (std::holds_alternative<op::Scale>(op)) multiply(array(node, ".weight"));
    if (std::holds_alternative<op::Shift>(op) || has_bias(op)) add(array(node, ".bias"));
  }
  FeatureAffine take() { return std::move(result_); }

 private:
  using Doubles = std::vector<double>;

  static bool has_bias(const Op& op) {
    if (const auto* conv = std::get_if<op::Conv>(&op)) return conv->bias;
    if (const auto* linear = std::get_if<op::Linear>(&op)) return linear->bias;
    return false;
  }

  void add_norm(NodeId node, double epsilon) {
    const std::string& name = network_.graph.node(node).name;
    const std::vector<float>& mean = own_.at(name + ".running_mean").values;
    const std::vector<float>& variance = own_.at(name + ".running_var").values;
    Doubles factors = array(node, ".weight");
    for (std::size_t c = 0; c < factors.size(); ++c) {
      factors[c] /= std::sqrt(variance[c] + epsilon);
      result_.shift[c] -= mean[c];
    }
    multiply(factors);
    add(array(node, ".bias"));
  }
  void multiply(const Doubles& factors) {
    for (std::size_t c = 0; c < factors.size(); ++c) {
      result_.scale[c] *= factors[c];
      result_.shift[c] *= factors[c];
    }
  }
  void add(const Doubles& summands) {
    for (std::size_t c = 0; c < summands.size(); ++c) result_.shift[c] += summands[c];
  }
  Doubles array(NodeId node, const char* parameter) const {
    return active_part(network_, node, parameter, subnet_, own_);
  }

  const Network& network_;
  const Subnet& subnet_;
  const Weights& own_;
  FeatureAffine result_;
};

}  // namespace

FeatureAffine feature_affine(const Network& network, std::span<const NodeId> nodes, const Subnet& subnet,
                             const Weights& own) {
  const int features = active_shape(network.graph, nodes.back(), subnet).channels;
  Composition composition(network, subnet, own, static_cast<std::size_t>(features));
  for (const NodeId node : nodes) composition.add(node);
  return composition.take();
}

}  // namespace concertina::runtime
