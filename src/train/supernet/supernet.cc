#include "train/supernet/supernet.h"

#include <fmt/format.h>

#include <algorithm>

#include "graph/edit.h"
#include "train/supernet/fake_int8.h"

namespace concertina::train {
namespace {

/// A sub-net's channels along an axis, in as few pieces as can be.
std::vector<FeatureRange> pieces_of(const Graph& graph, const ChannelAxis& axis, const Subnet& subnet) {
  std::vector<FeatureRange> pieces;
  for (const FeatureRange& range : graph.layout().active_ranges(axis, subnet)) {
    const bool next = !pieces.empty() && pieces.back().begin + pieces.back().count == range.begin;
    if (next) {
      pieces.back().count += range.count;
    } else {
      pieces.push_back(range);
    }
  }
  return pieces;
}

/// The channels of the sub-net along one dimension of a parameter.
torch::Tensor cut(const Graph& graph, const torch::Tensor& tensor, std::int64_t along,
                  const ChannelAxis& axis, const Subnet& subnet) {
  std::vector<torch::Tensor> parts;
  for (const auto& [begin, count] : pieces_of(graph, axis, subnet))
    parts.push_back(tensor.narrow(along, begin, count));
  return parts.size() == 1 ? parts[0] : torch::cat(parts, along);
}

/// What Supernet::rectified() and added() say.
struct Fusions {
  std::vector<bool> rectified, added;
};

Fusions find_fusions(const Graph& graph) {
  const std::vector<std::vector<NodeId>> readers = readers_by_node(graph);
  const auto is_output = [&](NodeId id) {
    return std::find(graph.outputs().begin(), graph.outputs().end(), id) != graph.outputs().end();
  };
  /// The one node that reads it, if there is only one and neither is an output.
  const auto reader_of = [&](NodeId id) -> const NodeId* {
    const bool alone = readers[id].size() == 1 && !is_output(id) && !is_output(readers[id][0]);
    return alone ? &readers[id][0] : nullptr;
  };
  const auto into_relu = [&](NodeId id) {
    const NodeId* reader = reader_of(id);
    const auto* op = reader ? std::get_if<op::Activation>(&graph.node(*reader).op) : nullptr;
    return op && op->is_relu();
  };
  const auto count = static_cast<std::size_t>(graph.size());
  Fusions fusions{std::vector<bool>(count), std::vector<bool>(count)};
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (!std::holds_alternative<op::BatchNorm>(graph.node(id).op)) continue;
    const NodeId* reader = reader_of(id);
    if (into_relu(id)) fusions.rectified[id] = true;
    if (!reader || !std::holds_alternative<op::Add>(graph.node(*reader).op)) continue;
    const std::vector<NodeId>& terms = graph.node(*reader).inputs;
    const NodeId other = terms[0] == id ? terms[1] : terms[0];
    const bool alike = graph.shape(id) == graph.shape(other) && other != id;
    if (!alike || fusions.rectified[*reader] || !into_relu(*reader)) continue;
    fusions.added[id] = fusions.rectified[*reader] = true;
  }
  return fusions;
}

/// By node, whether a batch norm reads it.
std::vector<bool> find_normalized(const Graph& graph) {
  std::vector<bool> normalized(static_cast<std::size_t>(graph.size()));
  for (const Node& node : graph.nodes()) {
    if (std::holds_alternative<op::BatchNorm>(node.op)) normalized[node.inputs[0]] = true;
  }
  return normalized;
}

/// By node, whether it is a convolution of our own kernels.
std::vector<bool> find_own_convolutions(const Graph& graph, const Compute& compute) {
  std::vector<bool> own;
  for (const std::optional<ConvKind>& kind : conv_kinds(graph))
    own.push_back(kind && compute.device.is_cpu() && !compute.convolutions.libtorch.contains(name_of(*kind)));
  return own;
}

/// Of numbers that keep a root or a denominator away from 0, such as the epsilon of a norm in parts. Learned,
/// they might fall below it.
std::vector<bool> find_guards(const Graph& graph) {
  const auto is_guarded = [&](NodeId id) {
    const auto* reader = std::get_if<op::Activation>(&graph.node(id).op);
    return reader && (reader->function == op::Function::sqrt || reader->function == op::Function::reciprocal);
  };
  std::vector<bool> guards;
  const std::vector<std::vector<NodeId>> readers = readers_by_node(graph);
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Op& op = graph.node(id).op;
    const bool affine = std::holds_alternative<op::Shift>(op) || std::holds_alternative<op::Scale>(op);
    guards.push_back(affine && !readers[id].empty() &&
                     std::all_of(readers[id].begin(), readers[id].end(), is_guarded));
  }
  return guards;
}

torch::Tensor prepared(const torch::Tensor& weight, torch::Device device) {
  torch::Tensor copy = weight.detach().to(device, torch::kFloat, false, true);
  if (copy.dim() == 4) copy = copy.contiguous(torch::MemoryFormat::ChannelsLast);
  return copy;
}

}  // namespace

void StatisticsCollector::add(const std::string& norm, const torch::Tensor& mean,
                              const torch::Tensor& variance) {
  const bool first = ++counts_[norm] == 1;
  const auto accumulate = [&](const std::string& name, const torch::Tensor& value) {
    sums_[name] = first ? value.detach().clone() : sums_[name] + value.detach();
  };
  accumulate(norm + ".running_mean", mean);
  accumulate(norm + ".running_var", variance);
}

Tensors StatisticsCollector::result() const {
  Tensors means;
  for (const auto& [norm, count] : counts_) {
    for (const char* suffix : {".running_mean", ".running_var"})
      means[norm + suffix] = sums_.at(norm + suffix) / count;
  }
  return means;
}

Result<Supernet> Supernet::make(const Graph& graph, const Tensors& weights, const Compute& compute) {
  Supernet net(graph, compute);
  const std::vector<bool> guards = find_guards(graph);
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (const auto* opaque = std::get_if<op::Opaque>(&node.op)) {
      return Error{fmt::format("node '{}': the op {} cannot be trained", node.name, opaque->type)};
    }
    for (const Parameter& parameter : parameters(graph, id)) {
      if (!parameter.trainable) continue;
      const std::string name = parameter_name(node, parameter);
      const auto found = weights.find(name);
      const std::vector<std::int64_t> shape(parameter.shape.begin(), parameter.shape.end());
      if (found == weights.end() || found->second.sizes() != at::IntArrayRef(shape)) {
        return Error{fmt::format("the weights have no array '{}' of the network's shape", name)};
      }
      net.weights_[name] = prepared(found->second, compute.device).requires_grad_(!guards[id]);
    }
  }
  Fusions fusions = find_fusions(graph);
  net.rectified_ = std::move(fusions.rectified);
  net.added_ = std::move(fusions.added);
  net.own_convolution_ = find_own_convolutions(graph, compute);
  net.normalized_ = find_normalized(graph);
  net.classifier_ = find_classifier(graph);
  return net;
}

torch::Tensor Supernet::whole(NodeId id, std::string_view parameter) const {
  const Node& node = graph_.node(id);
  const torch::Tensor& tensor = weights_.at(parameter_name(node, parameter));
  const bool rounded = compute_.fake_int8 && parameter == "weight" && has_int8_weights(node.op);
  return rounded ? fake_int8_weight(tensor) : tensor;
}

torch::Tensor Supernet::active(NodeId id, const Parameter& parameter, const Subnet& subnet) const {
  torch::Tensor tensor = whole(id, parameter.name);
  for (std::size_t d = 0; d < parameter.axes.size(); ++d) {
    const auto along = static_cast<std::int64_t>(d);
    if (parameter.axes[d] == ParameterAxis::output_channels)
      tensor = cut(graph_, tensor, along, graph_.axis(id), subnet);
    if (parameter.axes[d] == ParameterAxis::input_channels)
      tensor = cut(graph_, tensor, along, graph_.axis(graph_.node(id).inputs[0]), subnet);
  }
  return tensor;
}

std::optional<std::int64_t> Supernet::first_outputs(NodeId conv, const Subnet& subnet) const {
  const auto first = [&](NodeId of) -> std::optional<std::int64_t> {
    const std::vector<FeatureRange> pieces = pieces_of(graph_, graph_.axis(of), subnet);
    if (pieces.size() != 1 || pieces[0].begin != 0) return std::nullopt;
    return pieces[0].count;
  };
  const bool grouped = std::get<op::Conv>(graph_.node(conv).op).groups > 1;
  return grouped || first(graph_.node(conv).inputs[0]) ? first(conv) : std::nullopt;
}

void Supernet::assign(const Tensors& weights) {
  const torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : weights_) tensor.copy_(weights.at(name));
}

}  // namespace concertina::train
