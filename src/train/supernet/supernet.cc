#include "train/supernet/supernet.h"

#include <fmt/format.h>

#include <algorithm>

#include "graph/edit.h"

namespace concertina::train {
namespace {

/// The channels of the sub-net along one dimension of a parameter.
torch::Tensor cut(const Graph& graph, const torch::Tensor& tensor, std::int64_t along,
                  const ChannelAxis& axis, const Subnet& subnet) {
  std::vector<FeatureRange> pieces;
  for (const FeatureRange& range : graph.layout().active_ranges(axis, subnet)) {
    const bool next = !pieces.empty() && pieces.back().begin + pieces.back().count == range.begin;
    if (next) {
      pieces.back().count += range.count;
    } else {
      pieces.push_back(range);
    }
  }
  std::vector<torch::Tensor> parts;
  for (const auto& [begin, count] : pieces) parts.push_back(tensor.narrow(along, begin, count));
  return parts.size() == 1 ? parts[0] : torch::cat(parts, along);
}

std::vector<std::vector<NodeId>> readers_by_node(const Graph& graph) {
  std::vector<std::vector<NodeId>> readers(static_cast<std::size_t>(graph.size()));
  for (NodeId id = 0; id < graph.size(); ++id) {
    for (const NodeId input : graph.node(id).inputs) readers[input].push_back(id);
  }
  return readers;
}

/// By node, whether it is a batch norm that only a ReLU reads, neither of them an output.
std::vector<bool> find_rectified(const Graph& graph) {
  const std::vector<std::vector<NodeId>> readers = readers_by_node(graph);
  const auto is_output = [&](NodeId id) {
    return std::find(graph.outputs().begin(), graph.outputs().end(), id) != graph.outputs().end();
  };
  std::vector<bool> rectified;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const auto& of_node = readers[id];
    const bool alone = std::holds_alternative<op::BatchNorm>(graph.node(id).op) && of_node.size() == 1;
    const auto* reader = alone ? std::get_if<op::Activation>(&graph.node(of_node[0]).op) : nullptr;
    rectified.push_back(reader && reader->is_relu() && !is_output(id) && !is_output(of_node[0]));
  }
  return rectified;
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
  net.rectified_ = find_rectified(graph);
  net.classifier_ = find_classifier(graph);
  return net;
}

torch::Tensor Supernet::active(NodeId id, const Parameter& parameter, const Subnet& subnet) const {
  torch::Tensor tensor = weights_.at(parameter_name(graph_.node(id), parameter));
  for (std::size_t d = 0; d < parameter.axes.size(); ++d) {
    const auto along = static_cast<std::int64_t>(d);
    if (parameter.axes[d] == ParameterAxis::output_channels)
      tensor = cut(graph_, tensor, along, graph_.axis(id), subnet);
    if (parameter.axes[d] == ParameterAxis::input_channels)
      tensor = cut(graph_, tensor, along, graph_.axis(graph_.node(id).inputs[0]), subnet);
  }
  return tensor;
}

void Supernet::assign(const Tensors& weights) {
  const torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : weights_) tensor.copy_(weights.at(name));
}

}  // namespace concertina::train
