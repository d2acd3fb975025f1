#include "training/plain_network.h"

#include <fmt/format.h>

#include "graph/network.h"

namespace concertina::bench {
namespace {

bool is_plain(const Op& op) {
  return std::holds_alternative<op::Input>(op) || std::holds_alternative<op::Conv>(op) ||
         std::holds_alternative<op::Linear>(op) || std::holds_alternative<op::BatchNorm>(op) ||
         std::holds_alternative<op::Activation>(op) || std::holds_alternative<op::Add>(op) ||
         std::holds_alternative<op::MaxPool>(op) || std::holds_alternative<op::GlobalAveragePool>(op) ||
         std::holds_alternative<op::Flatten>(op);
}

}  // namespace

Result<PlainNetwork> PlainNetwork::make(const Graph& graph, const train::Tensors& weights,
                                        torch::Dtype dtype) {
  PlainNetwork net(graph, dtype);
  for (const Node& node : graph.nodes()) {
    if (!is_plain(node.op)) return Error{fmt::format("node '{}': the plain side has no such op", node.name)};
  }
  for (const auto& [name, weight] : weights) {
    const bool map = weight.dim() == 4;
    net.weights_[name] = weight.detach()
                             .clone(map ? torch::MemoryFormat::ChannelsLast : torch::MemoryFormat::Contiguous)
                             .requires_grad_();
  }
  return net;
}

torch::Tensor PlainNetwork::slice(NodeId id, const char* name, const Subnet& subnet) const {
  const Node& node = graph_.node(id);
  for (const Parameter& parameter : parameters_of(node.op)) {
    if (parameter.name != name) continue;
    torch::Tensor part = weights_.at(parameter_name(node, parameter));
    const std::vector<int> sizes = active_sizes(graph_, id, parameter, subnet);
    for (std::size_t d = 0; d < sizes.size(); ++d)
      part = part.narrow(static_cast<std::int64_t>(d), 0, sizes[d]);
    return part;
  }
  return {};
}

torch::Tensor PlainNetwork::value(NodeId id, const std::vector<torch::Tensor>& inputs,
                                  const Subnet& subnet) const {
  const Op& op = graph_.node(id).op;
  const torch::Tensor& x = inputs[0];
  if (const auto* conv = std::get_if<op::Conv>(&op)) {
    const Window& w = conv->window;
    const torch::Tensor bias = conv->bias ? slice(id, "bias", subnet).to(dtype_) : torch::Tensor();
    const std::int64_t groups = conv->groups == 1 ? 1 : x.size(1) / (conv->in_channels / conv->groups);
    return torch::conv2d(x.to(dtype_), slice(id, "weight", subnet).to(dtype_), bias, {w.stride_h, w.stride_w},
                         at::IntArrayRef{w.pad_top, w.pad_left}, {w.dilation_h, w.dilation_w}, groups);
  }
  if (const auto* norm = std::get_if<op::BatchNorm>(&op)) {
    return torch::batch_norm(x, slice(id, "weight", subnet), slice(id, "bias", subnet), {}, {}, true, 0,
                             norm->epsilon, false);
  }
  if (std::holds_alternative<op::Linear>(op))
    return torch::linear(x.to(torch::kFloat), slice(id, "weight", subnet), slice(id, "bias", subnet));
  if (const auto* pool = std::get_if<op::MaxPool>(&op)) {
    const Window& w = pool->window;
    return torch::max_pool2d(x, {w.kernel_h, w.kernel_w}, {w.stride_h, w.stride_w},
                             at::IntArrayRef{w.pad_top, w.pad_left});
  }
  if (std::holds_alternative<op::Activation>(op)) {
    torch::Tensor in_place = x;
    return torch::relu_(in_place);
  }
  if (std::holds_alternative<op::GlobalAveragePool>(op)) return x.mean({2, 3}, true);
  if (std::holds_alternative<op::Flatten>(op)) return x.flatten(1);
  return inputs[0] + inputs[1];
}

torch::Tensor PlainNetwork::forward(const torch::Tensor& images, const Subnet& subnet) const {
  std::vector<torch::Tensor> values = {images};
  std::vector<NodeId> last_use(static_cast<std::size_t>(graph_.size()));
  for (NodeId id = 0; id < graph_.size(); ++id) {
    for (const NodeId input : graph_.node(id).inputs) last_use[input] = id;
  }
  for (NodeId id = 1; id < graph_.size(); ++id) {
    std::vector<torch::Tensor> inputs;
    for (const NodeId input : graph_.node(id).inputs) inputs.push_back(values[input]);
    values.push_back(value(id, inputs, subnet));
    for (const NodeId input : graph_.node(id).inputs) {
      if (last_use[input] == id) values[input] = torch::Tensor();
    }
  }
  return values.back();
}

}  // namespace concertina::bench
