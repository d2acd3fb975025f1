#include "train/tensors.h"

#include <cmath>

namespace concertina::train {
namespace {

torch::Tensor initial_tensor(const Node& node, const Parameter& parameter) {
  const std::vector<std::int64_t> shape(parameter.shape.begin(), parameter.shape.end());
  if (parameter.shape.size() == 1 && !std::holds_alternative<op::Linear>(node.op)) {
    return parameter.name == "weight" ? torch::ones(shape) : torch::zeros(shape);
  }
  if (const auto* conv = std::get_if<op::Conv>(&node.op)) {
    const double fan_out = static_cast<double>(conv->out_channels) / conv->groups * conv->window.taps();
    return torch::randn(shape) * std::sqrt(2.0 / fan_out);
  }
  const double bound = 1.0 / std::sqrt(static_cast<double>(std::get<op::Linear>(node.op).in_features));
  return (torch::rand(shape) * 2 - 1) * bound;
}

}  // namespace

Tensors to_tensors(const Weights& weights, torch::Device device) {
  Tensors tensors;
  for (const auto& [name, array] : weights) {
    const std::vector<std::int64_t> shape(array.shape.begin(), array.shape.end());
    auto* values =
        const_cast<float*>(array.values.data());  // from_blob has no const form; the clone only reads
    tensors[name] = torch::from_blob(values, shape).clone().to(device);
  }
  return tensors;
}

Weights to_weights(const Tensors& tensors) {
  Weights weights;
  for (const auto& [name, tensor] : tensors) {
    const torch::Tensor plain = tensor.detach().to(torch::kCPU, torch::kFloat).contiguous();
    const auto* data = plain.data_ptr<float>();
    weights[name] = {.shape = {plain.sizes().begin(), plain.sizes().end()},
                     .values = {data, data + plain.numel()}};
  }
  return weights;
}

Tensors initial_tensors(const Graph& graph, std::uint64_t seed) {
  torch::manual_seed(seed);
  Tensors tensors;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    for (const Parameter& parameter : parameters(graph, id)) {
      if (parameter.trainable) tensors[parameter_name(node, parameter)] = initial_tensor(node, parameter);
    }
  }
  return tensors;
}

}  // namespace concertina::train
