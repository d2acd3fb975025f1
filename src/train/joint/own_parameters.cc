#include "train/joint/own_parameters.h"

#include <fmt/format.h>

#include "graph/edit.h"

namespace concertina::train {
namespace {

std::string prefix(std::size_t subnet) {
  return fmt::format("own.{}.", subnet);
}

}  // namespace

OwnParameters::OwnParameters(const Supernet& net, const std::vector<Subnet>& subnets, bool norms,
                             bool classifier)
    : tensors_(subnets.size()) {
  const Graph& graph = net.graph();
  const NodeId last = find_classifier(graph);
  for (std::size_t i = 1; i < subnets.size(); ++i) {
    for (NodeId id = 0; id < graph.size(); ++id) {
      const bool norm = std::holds_alternative<op::BatchNorm>(graph.node(id).op);
      if (!(norm && norms) && !(id == last && classifier)) continue;
      for (const Parameter& parameter : parameters(graph, id)) {
        if (!parameter.trainable) continue;
        tensors_[i][parameter_name(graph.node(id), parameter)] =
            net.active(id, parameter, subnets[i]).detach().clone().requires_grad_();
      }
    }
  }
}

Tensors OwnParameters::all() const {
  Tensors all;
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    for (const auto& [name, tensor] : tensors_[i]) all[prefix(i) + name] = tensor;
  }
  return all;
}

Tensors OwnParameters::pick(const Tensors& tensors, std::size_t subnet) {
  const std::string wanted = prefix(subnet);
  Tensors picked;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with(wanted)) picked[name.substr(wanted.size())] = tensor;
  }
  return picked;
}

}  // namespace concertina::train
